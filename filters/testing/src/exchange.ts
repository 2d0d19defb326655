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

/** One request and its answer, which a test can play step by step. */
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

  /** True when the whole answer arrived or the stream was reset. */
  get done(): boolean {
    return this.#stream.destroyed;
  }

  /** The answer that the client got. Throws while it is not complete. */
  get reply(): Reply {
    if (!this.done) throw new Error(`the answer to ${this.path} is not complete: ${this.state}`);
    return replyOf(this.#stream);
  }

  /** The request as it arrived upstream so far; undefined while nothing arrived. */
  get upstream(): UpstreamRequest | undefined {
    return this.#stream.upstream && upstreamRequest(this.#stream.upstream);
  }

  get path(): string {
    return this.#request.path ?? "/";
  }

  get sentBytes(): number {
    return this.#sent;
  }

  /** A sentence that says what the exchange waits for. */
  get state(): string {
    if (this.done) return "it is done";
    if (this.#stream.request.held) return "the filter holds the request";
    if (this.#stream.response.held) return "the filter holds the response";
    return this.#stream.requestComplete ? "upstream has not answered" : "the request has not ended";
  }

  /** Sends the headers, and with `whole` also body and trailers. */
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

  /** The client closes its connection or resets the stream. */
  cancel(): void {
    this.#stream.cancel();
    this.#settle();
  }
}
