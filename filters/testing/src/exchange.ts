import { type Bytes, bytesOf } from "./bytes.ts";
import { HeaderMap, type HeadersInit } from "./header-map.ts";
import type { HttpStream } from "./http-stream.ts";
import {
  chunksOf,
  type Protocol,
  type Reply,
  type Request,
  replyOf,
  type UpstreamRequest,
  upstreamRequest,
} from "./request.ts";

/** One request and its answer, step by step. */
export class Exchange {
  readonly #stream: HttpStream;
  readonly #request: Request;
  readonly #protocol: Protocol;
  readonly #settle: () => void;
  #sent = 0;

  constructor(stream: HttpStream, request: Request, protocol: Protocol, settle: () => void) {
    this.#stream = stream;
    this.#request = request;
    this.#protocol = protocol;
    this.#settle = settle;
  }

  /** The answer is there, or the stream was reset. */
  get done(): boolean {
    return this.#stream.destroyed;
  }

  /** What the client got. Throws while it has not got all of it. */
  get reply(): Reply {
    if (!this.done) throw new Error(`the answer to ${this.path} is not there: ${this.state}`);
    return replyOf(this.#stream);
  }

  /** What has arrived upstream so far; undefined while nothing has. */
  get upstream(): UpstreamRequest | undefined {
    return this.#stream.upstream && upstreamRequest(this.#stream.upstream);
  }

  get path(): string {
    return this.#request.path ?? "/";
  }

  get sentBytes(): number {
    return this.#sent;
  }

  /** What the exchange waits for, in words. */
  get state(): string {
    if (this.done) return "it is done";
    if (this.#stream.request.held) return "the filter holds the request";
    if (this.#stream.response.held) return "the filter holds the response";
    return this.#stream.requestComplete ? "nothing has answered" : "the request has not ended";
  }

  /** Sends the headers; with `whole`, also all that the request has besides. */
  begin(headers: HeaderMap, whole: boolean): void {
    const { body, trailers } = this.#request;
    const chunks = chunksOf(body, this.#protocol);
    this.#stream.receiveHeaders("request", headers, whole && chunks.length === 0 && trailers === undefined);
    this.#settle();
    if (!whole) return;
    for (const [index, chunk] of chunks.entries()) {
      this.send(chunk, trailers === undefined && this.#protocol === "HTTP/2" && index === chunks.length - 1);
    }
    if (trailers !== undefined || (chunks.length > 0 && this.#protocol === "HTTP/1.1")) this.end(trailers);
  }

  send(bytes: Bytes, end = false): this {
    const data = bytesOf(bytes);
    this.#sent += data.length;
    this.#stream.receiveData("request", data, end);
    this.#settle();
    return this;
  }

  end(trailers?: HeadersInit): this {
    if (trailers === undefined) this.#stream.receiveData("request", Buffer.alloc(0), true);
    else this.#stream.receiveTrailers("request", new HeaderMap("requestTrailers", trailers));
    this.#settle();
    return this;
  }

  /** The client goes away. */
  cancel(): void {
    this.#stream.cancel();
    this.#settle();
  }
}
