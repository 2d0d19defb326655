import { BaseContext } from "./base-context";
import { findContext } from "./contexts";
import { proxy_http_call } from "./env";
import { encodedPairsSize, encodePairs, Headers } from "./header-pairs";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { WasmResultValues } from "./values";

/** Called with the answer to an HTTP call. `headers` is 0 when there is no answer: see `get_status`. */
export type HttpCallbackFunction = (origin_context: BaseContext, headers: u32, body_size: usize, trailers: u32) => void;

/**
 * Receives the answer to an HTTP call. Use it where a function is not enough: the call serves several streams, or
 * outlives the stream that made it. Use one handler for each call.
 */
export abstract class HttpHandler {
  /**
   * Host calls in `onAnswer` act on this context. With the root, the answer arrives even when streams end meanwhile.
   */
  origin_context: BaseContext;

  constructor(origin_context: BaseContext) {
    this.origin_context = origin_context;
  }

  /** The call has ended. `headers` is 0 when there is no answer: see `get_status`. */
  abstract onAnswer(headers: u32, body_size: u32, trailers: u32): void;

  /** Calls `onAnswer`, unless the context was deleted meanwhile. */
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

/** Begins a call. When the host accepts it, its token is at `OUT`. */
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
