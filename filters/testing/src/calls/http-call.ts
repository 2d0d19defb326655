import { status } from "../abi.ts";
import { HeaderMap } from "../header-map.ts";
import { type HttpAnswer, httpCall } from "../outbox.ts";
import { decodePairs } from "../pairs.ts";
import type { Caller, CallRoot, HostCall } from "./caller.ts";

/** The headers that an HTTP call must have. */
const needed = [":method", ":path", ":authority"];

/** Host calls to other services over HTTP. */
export function httpCallCalls(vm: Caller): Record<string, HostCall> {
  const { memory, world } = vm;
  return {
    proxy_http_call: (
      uri = 0,
      uriSize = 0,
      pairs = 0,
      pairsSize = 0,
      body = 0,
      bodySize = 0,
      trailerPairs = 0,
      trailersSize = 0,
      timeoutMs = 0,
      outToken = 0,
    ) => {
      const cluster = memory.read(uri, uriSize).toString("utf8");
      const bytes = memory.read(body, bodySize);
      const headers = new HeaderMap("request");
      headers.replaceAll(decodePairs(memory.read(pairs, pairsSize)));
      const trailers = new HeaderMap("requestTrailers");
      trailers.replaceAll(decodePairs(memory.read(trailerPairs, trailersSize)));
      memory.setWord(outToken, 0);
      if (timeoutMs < 0 || !world.outbox.knows(cluster)) return status.badArgument;
      if (needed.some((name) => headers.get(name) === undefined)) return status.badArgument;
      if (bytes.length > 0) headers.set("content-length", String(bytes.length));
      const { root } = vm.context;
      const token = vm.nextCallToken(0);
      const notify = (answer: HttpAnswer | undefined) => world.later(() => answered(root, token, answer));
      const call = httpCall({ cluster, headers, body: bytes, trailers, timeoutMs, notify }, world.clock);
      root.httpCalls.set(token, call);
      memory.setWord(outToken, token);
      world.later(() => world.outbox.offerHttp(call));
      return status.ok;
    },
  };
}

function answered(root: CallRoot, token: number, answer: HttpAnswer | undefined): void {
  if (root.deleted) return;
  root.httpAnswer = answer;
  if (answer === undefined) root.lastStatus = { code: status.brokenConnection, message: "reset" };
  const { headers, body, trailers } = answer ?? {};
  const sizes = [headers?.pairs.length ?? 0, body?.length ?? 0, trailers?.pairs.length ?? 0];
  // The answer is removed first, then everything that the module asked for in its callback happens.
  const forget = () => {
    root.httpAnswer = undefined;
    root.lastStatus = { code: root.lastStatus.code, message: "" };
    root.httpCalls.delete(token);
  };
  root.notifyThen(forget, "proxy_on_http_call_response", token, ...sizes);
}
