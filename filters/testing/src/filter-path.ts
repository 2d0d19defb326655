import { dataStatus, headersStatus } from "./abi.ts";
import { ByteBuffer } from "./bytes.ts";
import type { HeaderMap } from "./header-map.ts";

/** The filter's side of one direction: each answers a status of the ABI, already converted. */
export interface PathFilter {
  headers(map: HeaderMap, end: boolean): number;
  data(data: ByteBuffer, end: boolean): number;
  trailers(map: HeaderMap): number;
}

/** What comes after the filter. */
export interface PathSink {
  headers(map: HeaderMap, end: boolean): void;
  data(data: ByteBuffer, end: boolean): void;
  trailers(map: HeaderMap): void;
}

/** The stream that the direction belongs to. */
export interface PathStream {
  /** Nothing goes on in this direction any more. */
  readonly aborted: boolean;
  readonly headers: HeaderMap | undefined;
  readonly trailers: HeaderMap | undefined;
  readonly bufferLimit: number;
  /** Runs the filter; a local response that it sent goes out afterwards. */
  during<T>(call: () => T): T;
  tooMuchBuffered(): void;
  fault(text: string): void;
}

type Iteration = "continue" | "stopSingle" | "stopAllBuffer" | "stopAllWatermark";

/**
 * One direction of a stream with a single filter, by the rules of Envoy's filter manager: what is held when the filter
 * stops, what is sent on when it continues, and where it is resumed.
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
  /** The filter was told of the end. */
  #filterEnded = false;
  /** The sender has ended. */
  #observedEnd = false;
  #watermark = false;

  constructor(stream: PathStream, filter: PathFilter, next: PathSink) {
    this.#stream = stream;
    this.#filter = filter;
    this.#next = next;
  }

  /** What the filter has stopped is held here, for the filter to change. */
  get buffered(): ByteBuffer | undefined {
    return this.#buffered;
  }

  get held(): boolean {
    return this.#iteration !== "continue";
  }

  get observedEnd(): boolean {
    return this.#observedEnd;
  }

  receiveHeaders(map: HeaderMap, end: boolean): void {
    this.#observedEnd = end;
    this.#filterEnded = end;
    const answer = this.#stream.during(() => this.#filter.headers(map, end));
    if (this.#stream.aborted) return;
    if (answer === headersStatus.stop) this.#iteration = "stopSingle";
    else if (answer === headersStatus.stopAllBuffer) this.#iteration = "stopAllBuffer";
    else if (answer === headersStatus.stopAllWatermark) this.#iteration = "stopAllWatermark";
    else {
      this.#headersContinued = true;
      this.#next.headers(map, end);
    }
  }

  receiveData(data: ByteBuffer, end: boolean): void {
    this.#observedEnd = end;
    this.#dataFrom("filter", data, end);
  }

  receiveTrailers(map: HeaderMap): void {
    this.#observedEnd = true;
    this.#trailersFrom("filter", map);
  }

  /** Keeps data that the filter is being told of. */
  hold(data: ByteBuffer, watermark: boolean): void {
    this.#watermark = watermark;
    this.#buffer(data);
  }

  /** Goes on after a stop: headers first, then what was held, then trailers. */
  resume(): void {
    if (this.#stream.aborted) return;
    if (this.#iteration === "continue") {
      this.#stream.fault("proxy_continue_stream was called where nothing was stopped; Envoy's behaviour is undefined");
    }
    this.#fromCurrent = this.#iteration === "stopAllBuffer" || this.#iteration === "stopAllWatermark";
    this.#iteration = "continue";
    const headers = this.#stream.headers;
    const trailers = this.#stream.trailers;
    if (!this.#headersContinued && headers !== undefined) {
      this.#headersContinued = true;
      this.#next.headers(headers, this.#observedEnd && this.#buffered === undefined && trailers === undefined);
    }
    if (this.#buffered !== undefined) {
      this.#dataFrom(
        this.#fromCurrent ? "filter" : "next",
        this.#buffered,
        this.#observedEnd && trailers === undefined,
      );
    }
    if (trailers !== undefined) this.#trailersFrom(this.#fromCurrent ? "filter" : "next", trailers);
    this.#fromCurrent = false;
  }

  #dataFrom(start: "filter" | "next", data: ByteBuffer, end: boolean): void {
    if (this.#stream.aborted) return;
    let last = end;
    let added = false;
    if (start === "filter") {
      if (this.#iteration === "stopAllBuffer" || this.#iteration === "stopAllWatermark") {
        this.#watermark = this.#iteration === "stopAllWatermark";
        this.#buffer(data);
        return;
      }
      if (this.#filterEnded) return;
      const hadTrailers = this.#stream.trailers !== undefined;
      this.#filterEnded = end && !hadTrailers;
      const answer = this.#stream.during(() => this.#filter.data(data, this.#filterEnded));
      if (this.#stream.aborted) return;
      added = !hadTrailers && this.#stream.trailers !== undefined;
      if (added) last = false;
      if (!this.#goesOn(answer, data)) {
        if (added) this.#addedTrailers();
        return;
      }
    }
    this.#next.data(data, last);
    if (added) this.#addedTrailers();
  }

  /** The filter made trailers while it was told of the last data: it is not told of them. */
  #addedTrailers(): void {
    const trailers = this.#stream.trailers;
    if (trailers !== undefined) this.#trailersFrom(this.#fromCurrent ? "filter" : "next", trailers);
  }

  /** What the filter answered to data. */
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
    } else if (this.#observedEnd && this.#stream.trailers === undefined) {
      // So that the end is sent on when the filter resumes.
      this.#buffered ??= new ByteBuffer();
    }
    return false;
  }

  #trailersFrom(start: "filter" | "next", map: HeaderMap): void {
    if (this.#stream.aborted) return;
    if (start === "filter") {
      if (this.#iteration === "stopAllBuffer" || this.#iteration === "stopAllWatermark") return;
      const answer = this.#stream.during(() => this.#filter.trailers(map));
      this.#filterEnded = true;
      if (this.#stream.aborted) return;
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
