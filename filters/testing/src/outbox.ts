import type { Bytes } from "./bytes.ts";
import { bytesOf } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { HeaderMap, Headers, type HeadersInit } from "./header-map.ts";

/** What a module asked of another service over HTTP. The test answers it, or lets it be. */
export interface HttpCall {
  readonly cluster: string;
  readonly headers: Headers;
  readonly body: string;
  readonly trailers: Headers;
  /** Milliseconds; 0 for none. */
  readonly timeoutMs: number;
  /** Over: answered, failed, timed out, or not awaited any more. */
  readonly done: boolean;
  answer(answer: HttpCallAnswer): void;
  /** The connection broke. */
  fail(): void;
}

/** What the host keeps of a call. */
export interface HttpCallState extends HttpCall {
  abandon(): void;
}

export interface HttpCallAnswer {
  /** 200 unless given. */
  readonly status?: number;
  readonly headers?: HeadersInit;
  readonly body?: Bytes;
  readonly trailers?: HeadersInit;
}

/** What the module reads while it is told. */
export interface HttpAnswer {
  readonly headers: HeaderMap;
  readonly body: Buffer;
  readonly trailers: HeaderMap | undefined;
}

export type HttpCallHandler = (call: HttpCall) => HttpCallAnswer | "fail" | undefined;
export type GrpcCallHandler = (call: GrpcCall) => void;

/** Calls to other services that wait for the test. */
export class Outbox {
  /** Undefined: every cluster is known. */
  readonly clusters: ReadonlySet<string> | undefined;
  onHttpCall: HttpCallHandler | undefined;
  onGrpcCall: GrpcCallHandler | undefined;
  #httpCalls: HttpCall[] = [];
  #grpcCalls: GrpcCall[] = [];

  constructor(clusters: readonly string[] | undefined) {
    this.clusters = clusters === undefined ? undefined : new Set(clusters);
  }

  knows(cluster: string): boolean {
    return this.clusters?.has(cluster) ?? true;
  }

  get httpCalls(): readonly HttpCall[] {
    this.#httpCalls = this.#httpCalls.filter(({ done }) => !done);
    return this.#httpCalls;
  }

  get grpcCalls(): readonly GrpcCall[] {
    this.#grpcCalls = this.#grpcCalls.filter(({ done }) => !done);
    return this.#grpcCalls;
  }

  /** Asks the test, when the module's callback has ended. */
  offerHttp(call: HttpCall): void {
    this.#httpCalls.push(call);
    if (call.done) return;
    const answer = this.onHttpCall?.(call);
    if (answer === "fail") call.fail();
    else if (answer !== undefined) call.answer(answer);
  }

  offerGrpc(call: GrpcCall): void {
    this.#grpcCalls.push(call);
    if (!call.done) this.onGrpcCall?.(call);
  }
}

interface HttpCallParts {
  readonly cluster: string;
  readonly headers: HeaderMap;
  readonly body: Buffer;
  readonly trailers: HeaderMap;
  readonly timeoutMs: number;
  /** Tells the module; undefined when the call failed. */
  readonly notify: (answer: HttpAnswer | undefined) => void;
}

/** A call whose time runs from now on. */
export function httpCall(
  { cluster, headers, body, trailers, timeoutMs, notify }: HttpCallParts,
  clock: Clock,
): HttpCallState {
  let done = false;
  const end = (answer: HttpAnswer | undefined) => {
    if (done) return;
    done = true;
    stopTimer();
    notify(answer);
  };
  const askedAt = clock.elapsedNanoseconds;
  const answered = ({ status = 200, headers: init = [], body: bytes = "", trailers: last }: HttpCallAnswer) => {
    const map = new HeaderMap("response", [[":status", String(status)]]);
    for (const [name, value] of new HeaderMap("response", init).pairs) map.add(name, value);
    const elapsedMs = (clock.elapsedNanoseconds - askedAt) / 1_000_000n;
    map.set("x-envoy-upstream-service-time", String(elapsedMs));
    end({ headers: map, body: bytesOf(bytes), trailers: last && new HeaderMap("responseTrailers", last) });
  };
  const timedOut = () => {
    const body = Buffer.from("upstream request timeout");
    const headers = { ":status": "504", "content-length": String(body.length), "content-type": "text/plain" };
    end({ headers: new HeaderMap("response", headers), body, trailers: undefined });
  };
  const stopTimer = timeoutMs > 0 ? clock.after(timeoutMs, timedOut) : () => {};
  return {
    cluster,
    headers: new Headers(headers),
    body: body.toString("utf8"),
    trailers: new Headers(trailers),
    timeoutMs,
    get done() {
      return done;
    },
    answer: answered,
    fail: () => end(undefined),
    abandon: () => {
      done = true;
      stopTimer();
    },
  };
}
