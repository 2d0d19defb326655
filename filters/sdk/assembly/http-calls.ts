import { BaseContext } from "./base-context";
import { findContext } from "./contexts";
import { proxy_http_call } from "./env";
import { encodedPairsSize, encodePairs, Headers } from "./header-pairs";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { WasmResultValues } from "./values";

/** What is called with the answer to an HTTP call. `headers` is 0 when there is none: see `get_status`. */
export type HttpCallbackFunction = (origin_context: BaseContext, headers: u32, body_size: usize, trailers: u32) => void;

/**
 * What the answer to an HTTP call is given to, where a function is too little: the call is about several streams, or outlives
 * the one that asked. One for each call.
 */
export abstract class HttpHandler {
  /** The context that the host calls of `onAnswer` act on. Make it the root, and the answer comes whatever ends meanwhile. */
  origin_context: BaseContext;

  constructor(origin_context: BaseContext) {
    this.origin_context = origin_context;
  }

  /** The call has ended. `headers` is 0 when there is no answer: see `get_status`. */
  abstract onAnswer(headers: u32, body_size: u32, trailers: u32): void;

  /** A stream that is gone meanwhile is not called back. */
  answer(headers: u32, body_size: u32, trailers: u32): void {
    const origin = this.origin_context;
    if (findContext(origin.context_id) !== origin) return;
    origin.setEffectiveContext();
    this.onAnswer(headers, body_size, trailers);
  }
}

export class HttpCallback extends HttpHandler {
  cb: HttpCallbackFunction;

  constructor(origin_context: BaseContext, cb: HttpCallbackFunction) {
    super(origin_context);
    this.cb = cb;
  }

  override onAnswer(headers: u32, body_size: u32, trailers: u32): void {
    this.cb(this.origin_context, headers, body_size, trailers);
  }
}

/** Begins a call. Its token is at `OUT` when the host takes it. */
export function beginHttpCall(
  cluster: string,
  headers: Headers,
  body: ArrayBuffer,
  trailers: Headers,
  timeout_milliseconds: u32,
): WasmResultValues {
  const name = encode(cluster);
  const nameSize = encodedSize;
  const headerPairs = encodePairs(headers);
  const headerPairsSize = encodedPairsSize;
  const trailerPairs = encodePairs(trailers);
  return proxy_http_call(
    name,
    nameSize,
    headerPairs,
    headerPairsSize,
    changetype<usize>(body),
    body.byteLength,
    trailerPairs,
    encodedPairsSize,
    timeout_milliseconds,
    OUT,
  );
}
