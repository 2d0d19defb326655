import { dataStatus, headersStatus } from "./abi.ts";
import { ByteBuffer } from "./bytes.ts";
import type { HeaderMap } from "./header-map.ts";

/** The filter's callbacks for one direction. Each returns a status of the ABI, already limited to the known values. */
export interface PathFilter {
  headers(map: HeaderMap, end: boolean): number;
  data(data: ByteBuffer, end: boolean): number;
  trailers(map: HeaderMap): number;
}

/** The next hop after the filter. */
export interface PathSink {
  headers(map: HeaderMap, end: boolean): void;
  data(data: ByteBuffer, end: boolean): void;
  trailers(map: HeaderMap): void;
}

/** The stream that the direction belongs to. */
export interface PathStream {
  readonly direction: "request" | "response";
  readonly headers: HeaderMap | undefined;
  readonly trailers: HeaderMap | undefined;
  /** The sender has ended. */
  readonly complete: boolean;
  /** True when the rest is dropped: the rest of a request, once its whole answer arrived. */
  readonly drops: boolean;
  /** True when a filter that stopped may still continue. */
  readonly resumable: boolean;
  /** True when a local response or a reset ended this direction while the filter ran. */
  readonly aborted: boolean;
  readonly bufferLimit: number;
  /** Runs the filter. */
  during<T>(call: () => T): T;
  /** Sends the local response that the filter asked for while it ran. */
  sendPrepared(): void;
  tooMuchBuffered(): void;
  fault(text: string): void;
}

type Iteration = "continue" | "stopSingle" | "stopAllBuffer" | "stopAllWatermark";

/**
 * One direction of a stream with a single filter, by the rules of Envoy's filter manager: which data is held when the
 * filter stops, which data is sent when it continues, and where processing resumes.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/http/http_filters
 */
export class FilterPath {
  readonly #stream: PathStream;
  readonly #filter: PathFilter;
  readonly #next: PathSink;
  #iteration: Iteration = "continue";
  #buffered: ByteBuffer | undefined;
  #headersContinued = false;
  #fromCurrent = false;
  /** The filter saw the end of the stream. */
  #filterEnded = false;
  #watermark = false;

  constructor(stream: PathStream, filter: PathFilter, next: PathSink) {
    this.#stream = stream;
    this.#filter = filter;
    this.#next = next;
  }

  /** The data that the filter holds. The filter may change it. */
  get buffered(): ByteBuffer | undefined {
    return this.#buffered;
  }

  get held(): boolean {
    return this.#iteration !== "continue";
  }

  receiveHeaders(map: HeaderMap, end: boolean): void {
    this.#filterEnded = end;
    let answer = this.#stream.during(() => this.#filter.headers(map, end));
    if (this.#stream.aborted) {
      this.#stream.sendPrepared();
      answer = headersStatus.stop;
    }
    if (answer === headersStatus.stop) this.#iteration = "stopSingle";
    else if (answer === headersStatus.stopAllBuffer) this.#iteration = "stopAllBuffer";
    else if (answer === headersStatus.stopAllWatermark) this.#iteration = "stopAllWatermark";
    else {
      this.#headersContinued = true;
      if (!this.#stream.drops) this.#next.headers(map, end);
    }
  }

  receiveData(data: ByteBuffer, end: boolean): void {
    this.#dataFrom("filter", data, end);
    // Data that was neither sent nor buffered is lost. The filter may still read the empty buffer.
    data.drain(data.length);
  }

  receiveTrailers(map: HeaderMap): void {
    this.#trailersFrom("filter", map);
  }

  /** Buffers the data of the running body callback. */
  hold(data: ByteBuffer): void {
    this.#watermark = false;
    this.#buffer(data);
  }

  /** Continues after a stop: first the headers, then the held data, then the trailers. */
  resume(): void {
    const stream = this.#stream;
    if (!stream.resumable) return;
    if (this.#iteration === "continue") {
      stream.fault("proxy_continue_stream was called where nothing was stopped; Envoy's behaviour is undefined");
    }
    if (this.#stopsAll) this.#fromCurrent = true;
    this.#iteration = "continue";
    const { headers } = stream;
    if (!this.#headersContinued && headers !== undefined) {
      this.#headersContinued = true;
      this.#next.headers(headers, stream.complete && this.#buffered === undefined && stream.trailers === undefined);
    }
    const { trailers } = stream;
    if (this.#buffered !== undefined) {
      this.#dataFrom(this.#resumedAt, this.#buffered, stream.complete && trailers === undefined);
    }
    if (trailers !== undefined) this.#trailersFrom(this.#resumedAt, trailers);
    this.#fromCurrent = false;
  }

  get #stopsAll(): boolean {
    return this.#iteration === "stopAllBuffer" || this.#iteration === "stopAllWatermark";
  }

  /** A filter that stopped everything has not seen the held data, so it sees it now. */
  get #resumedAt(): "filter" | "next" {
    return this.#fromCurrent ? "filter" : "next";
  }

  #dataFrom(start: "filter" | "next", data: ByteBuffer, end: boolean): void {
    const stream = this.#stream;
    if (stream.drops) return;
    let addedTrailers = false;
    if (start === "filter") {
      if (this.#stopsAll) {
        this.#watermark = this.#iteration === "stopAllWatermark";
        this.#buffer(data);
        return;
      }
      if (this.#filterEnded) return;
      const hadTrailers = stream.trailers !== undefined;
      this.#filterEnded = end && !hadTrailers;
      let answer = stream.during(() => this.#filter.data(data, this.#filterEnded));
      if (stream.aborted) {
        stream.sendPrepared();
        if (stream.direction === "request") return;
        answer = dataStatus.stopNoBuffer;
      }
      addedTrailers = !hadTrailers && stream.trailers !== undefined;
      if (!this.#goesOn(answer, data)) {
        // Towards upstream, Envoy sends these trailers even when the filter that created them stops the data.
        if (addedTrailers && stream.direction === "request") this.#sendAddedTrailers();
        return;
      }
    }
    this.#next.data(data, end && !addedTrailers);
    if (addedTrailers) this.#sendAddedTrailers();
  }

  /** Sends trailers that the filter created in its last body callback. The filter gets no callback for them. */
  #sendAddedTrailers(): void {
    const { trailers } = this.#stream;
    if (trailers !== undefined) this.#trailersFrom(this.#resumedAt, trailers);
  }

  /** Acts on the filter's answer to data. True when the data is to be sent. */
  #goesOn(answer: number, data: ByteBuffer): boolean {
    if (answer === dataStatus.continue) {
      if (this.#iteration !== "stopSingle") return true;
      this.#buffer(data);
      this.resume();
      return false;
    }
    this.#iteration = "stopSingle";
    if (answer === dataStatus.stopAndBuffer || answer === dataStatus.stopAndWatermark) {
      this.#watermark = answer === dataStatus.stopAndWatermark;
      this.#buffer(data);
    } else if (this.#stream.complete && this.#stream.trailers === undefined) {
      // An empty buffer makes resume() send the end.
      this.#buffered ??= new ByteBuffer();
    }
    return false;
  }

  #trailersFrom(start: "filter" | "next", map: HeaderMap): void {
    const stream = this.#stream;
    if (stream.drops) return;
    if (start === "filter") {
      if (this.#stopsAll) return;
      let answer = stream.during(() => this.#filter.trailers(map));
      this.#filterEnded = true;
      if (stream.aborted && stream.direction === "request") {
        stream.sendPrepared();
        answer = 1;
      }
      if (answer !== 0) {
        if (this.#iteration === "continue") this.#iteration = "stopSingle";
        return;
      }
      if (this.#iteration === "stopSingle") {
        this.resume();
        return;
      }
    }
    this.#next.trailers(map);
  }

  #buffer(data: ByteBuffer): void {
    if (this.#buffered === data) return;
    this.#buffered ??= new ByteBuffer();
    this.#buffered.move(data);
    if (this.#buffered.length > this.#stream.bufferLimit && !this.#watermark) this.#stream.tooMuchBuffered();
  }
}
