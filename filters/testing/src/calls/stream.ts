import { status, streamType } from "../abi.ts";
import { decodePairs } from "../pairs.ts";
import type { Caller, HostCall } from "./caller.ts";

/** Host calls that continue, close or answer a stream. */
export function streamCalls(vm: Caller): Record<string, HostCall> {
  const { memory } = vm;
  return {
    proxy_continue_stream: (stream = 0) =>
      stream >>> 0 > streamType.upstream ? status.badArgument : vm.context.continueStream(stream),
    proxy_close_stream: (stream = 0) =>
      stream >>> 0 > streamType.upstream ? status.badArgument : vm.context.closeStream(stream),
    proxy_send_local_response: (
      code = 0,
      details = 0,
      detailsSize = 0,
      body = 0,
      bodySize = 0,
      headers = 0,
      headersSize = 0,
      grpcStatus = 0,
    ) => {
      vm.context.sendLocalResponse({
        code: code >>> 0,
        details: memory.text(details, detailsSize),
        body: memory.read(body, bodySize),
        headers: decodePairs(memory.read(headers, headersSize)),
        grpcStatus: grpcStatus >>> 0,
      });
      vm.stopIteration = true;
      return status.ok;
    },
  };
}
