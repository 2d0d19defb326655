import type { Bytes } from "./bytes.ts";
import { bytesOf } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { HeaderMap, Headers, type HeadersInit } from "./header-map.ts";

/** A module's HTTP call to another service. The test answers it, or leaves it without an answer. */
export interface HttpCall {
  readonly cluster: string;
  readonly headers: Headers;
  readonly body: string;
  readonly trailers: Headers;
  /** Milliseconds; 0 for none. */
  readonly timeoutMs: number;
  /** True when the call was answered, failed, timed out or was abandoned. */
  readonly done: boolean;
  answer(answer: HttpCallAnswer): void;
  /** Fails the call, as a broken connection does. */
  fail(): void;
}

/** A call as the host sees it. */
export interface HttpCallState extends HttpCall {
  abandon(): void;
}

export interface HttpCallAnswer {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: HeadersInit;
  readonly body?: Bytes;
  readonly trailers?: HeadersInit;
}

/** The answer that the module reads in its callback. */
export interface HttpAnswer {
  readonly headers: HeaderMap;
  readonly body: Buffer;
  readonly trailers: HeaderMap | undefined;
}

export type HttpCallHandler = (call: HttpCall) => HttpCallAnswer | "fail" | undefined;
export type GrpcCallHandler = (call: GrpcCall) => void;

/** Calls to other services that wait for an answer from the test. */
export class Outbox {
  /** The known clusters; undefined when every cluster is known. */
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

  /** Passes the call to the test. Runs after the module's callback has ended. */
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
  /** Notifies the module of the answer; undefined means that the call failed. */
  readonly notify: (answer: HttpAnswer | undefined) => void;
}

/** Begins a call. Its timeout starts now. */
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
