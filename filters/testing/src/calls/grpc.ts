import { status } from "../abi.ts";
import { type GrpcEvent, grpcCall } from "../grpc-call.ts";
import { HeaderMap } from "../header-map.ts";
import { decodePairs } from "../pairs.ts";
import type { Caller, CallRoot, HostCall } from "./caller.ts";

const kindOf = { call: 1, stream: 2 } as const;

/** Host calls to gRPC services. */
export function grpcCalls(vm: Caller): Record<string, HostCall> {
  const { memory, world } = vm;
  const begin = (kind: "call" | "stream", places: readonly number[], outToken: number, timeoutMs: number): number => {
    const [service, name, method, metadata, message] = [0, 2, 4, 6, 8].map((at) =>
      at < places.length ? memory.read(places[at] ?? 0, places[at + 1] ?? 0) : Buffer.alloc(0),
    ) as [Buffer, Buffer, Buffer, Buffer, Buffer];
    const cluster = service.toString("utf8");
    const named = /^[\x20-\x7e]*$/.test(cluster);
    if (named && !world.outbox.knows(cluster)) return status.parseFailure;
    const headers = new HeaderMap("request");
    headers.replaceAll(decodePairs(metadata));
    const { root } = vm.context;
    const token = vm.nextCallToken(kindOf[kind]);
    const call = grpcCall(
      {
        kind,
        service: named ? cluster : service,
        method: `/${name.toString("utf8")}/${method.toString("utf8")}`,
        metadata: headers,
        messages: kind === "call" ? [message] : [],
        timeoutMs,
        notify: (what) => world.later(() => deliver(root, token, what)),
      },
      world.clock,
    );
    root.grpcCalls.set(token, call);
    memory.setWord(outToken, token);
    world.later(() => world.outbox.offerGrpc(call));
    return status.ok;
  };
  const find = (token: number) => {
    const kind = token & 3;
    if (kind !== kindOf.call && kind !== kindOf.stream) return status.badArgument;
    return vm.context.root.grpcCalls.get(token >>> 0) ?? status.notFound;
  };
  return {
    proxy_grpc_call: (...values) => begin("call", values.slice(0, 10), values[11] ?? 0, (values[10] ?? 0) >>> 0),
    proxy_grpc_stream: (...values) => begin("stream", values.slice(0, 8), values[8] ?? 0, 0),
    proxy_grpc_send: (token = 0, message = 0, size = 0, end = 0) => {
      const bytes = memory.read(message, size);
      if ((token & 3) !== kindOf.stream) return status.badArgument;
      const call = find(token);
      if (typeof call === "number") return call;
      call.sent(bytes, end !== 0);
      return status.ok;
    },
    proxy_grpc_close: (token = 0) => {
      const call = find(token);
      if (typeof call === "number") return call;
      call.halfClose();
      if (call.kind === "call" || call.done) vm.context.root.grpcCalls.delete(token >>> 0);
      if (call.kind === "call") call.abandon();
      return status.ok;
    },
    proxy_grpc_cancel: (token = 0) => {
      const call = find(token);
      if (typeof call === "number") return call;
      call.abandon();
      vm.context.root.grpcCalls.delete(token >>> 0);
      return status.ok;
    },
  };
}

function deliver(root: CallRoot, token: number, what: GrpcEvent): void {
  const call = root.grpcCalls.get(token);
  if (root.deleted || call === undefined) return;
  if (what.kind === "initial") {
    root.grpcInitialMetadata = what.metadata;
    root.notify("proxy_on_grpc_receive_initial_metadata", token, what.metadata.pairs.length);
    root.grpcInitialMetadata = undefined;
  } else if (what.kind === "trailing") {
    root.grpcTrailingMetadata = what.metadata;
    root.notify("proxy_on_grpc_receive_trailing_metadata", token, what.metadata.pairs.length);
    root.grpcTrailingMetadata = undefined;
  } else if (what.kind === "message") {
    root.grpcMessage = what.message;
    const forget = () => {
      root.grpcMessage = undefined;
      if (call.kind === "call") root.grpcCalls.delete(token);
    };
    root.notifyThen(forget, "proxy_on_grpc_receive", token, what.message.length);
  } else {
    root.lastStatus = { code: what.status, message: what.text };
    const forget = () => {
      root.lastStatus = { code: what.status, message: "" };
      if (call.kind === "call" || call.halfClosed) root.grpcCalls.delete(token);
    };
    root.notifyThen(forget, "proxy_on_grpc_close", token, what.status);
  }
}
