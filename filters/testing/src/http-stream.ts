import { ByteBuffer, type ByteString } from "./bytes.ts";
import type { LocalResponse } from "./context.ts";
import { FilterPath, type PathFilter, type PathSink, type PathStream } from "./filter-path.ts";
import { HeaderMap } from "./header-map.ts";
import type { HttpContext, HttpStreamCalls } from "./http-context.ts";
import { detailsOf, encodeReply } from "./local-reply.ts";
import type { PropertyTree } from "./properties.ts";
import type { World } from "./world.ts";

/** Headers, body and trailers as they arrived somewhere. */
export interface Received {
  readonly headers: HeaderMap;
  readonly body: ByteBuffer;
  readonly trailers: HeaderMap | undefined;
  /** The end has arrived too. */
  readonly complete: boolean;
}

export interface HttpStreamOptions {
  readonly bufferLimit: number;
  /** Answers a whole request; called when the last of it has arrived upstream. */
  readonly upstream: (request: Received, stream: HttpStream) => void;
  readonly properties: (stream: HttpStream, headers: PropertyHeaders) => PropertyTree;
  /** The stream is over, and its filter gone. */
  readonly ended: () => void;
}

export interface PropertyHeaders {
  readonly request: HeaderMap | undefined;
  readonly response: HeaderMap | undefined;
  readonly trailers: HeaderMap | undefined;
}

class Arrived implements Received {
  headers: HeaderMap;
  readonly body = new ByteBuffer();
  trailers: HeaderMap | undefined;
  complete = false;

  constructor(headers: HeaderMap) {
    this.headers = headers;
  }
}

type Direction = "request" | "response";

/** One HTTP request and its response through one filter: Envoy's connection manager, filter manager and router in small. */
export class HttpStream implements HttpStreamCalls {
  readonly request: FilterPath;
  readonly response: FilterPath;
  readonly filterState = new Map<ByteString, Buffer>();
  readonly #world: World;
  readonly #options: HttpStreamOptions;
  readonly #filter: HttpContext | undefined;
  readonly #headers: Partial<Record<Direction, HeaderMap>> = {};
  readonly #trailers: Partial<Record<Direction, HeaderMap>> = {};
  readonly #aborted: Record<Direction, boolean> = { request: false, response: false };
  readonly #running: Direction[] = [];
  #preparedReply: LocalResponse | undefined;
  #upstream: Arrived | undefined;
  #client: Arrived | undefined;
  #finished = false;
  /** Why the client got no whole answer. */
  resetDetails: string | undefined;
  /** %RESPONSE_CODE_DETAILS% */
  details = "via_upstream";
  /** The answer did not come from upstream. */
  local = false;

  /** The filter is made for the stream; without one, all passes. */
  constructor(world: World, options: HttpStreamOptions, filter: (calls: HttpStreamCalls) => HttpContext | undefined) {
    this.#world = world;
    this.#options = options;
    this.request = new FilterPath(this.#path("request"), this.#filterOf("request"), this.#towardsUpstream());
    this.response = new FilterPath(this.#path("response"), this.#filterOf("response"), this.#towardsClient());
    this.#filter = filter(this);
  }

  get destroyed(): boolean {
    return this.#finished;
  }

  get upstream(): Received | undefined {
    return this.#upstream;
  }

  get client(): Received | undefined {
    return this.#client;
  }

  receiveHeaders(direction: Direction, map: HeaderMap, end: boolean): void {
    if (this.#finished) return;
    this.#headers[direction] = map;
    this[direction].receiveHeaders(map, end);
  }

  receiveData(direction: Direction, bytes: Uint8Array, end: boolean): void {
    if (!this.#finished) this[direction].receiveData(new ByteBuffer(bytes), end);
  }

  receiveTrailers(direction: Direction, map: HeaderMap): void {
    if (this.#finished) return;
    this.#trailers[direction] = map;
    this[direction].receiveTrailers(map);
  }

  addTrailers(direction: Direction): HeaderMap {
    const map = new HeaderMap(`${direction}Trailers`);
    this.#trailers[direction] = map;
    return map;
  }

  properties(request?: HeaderMap, response?: HeaderMap, trailers?: HeaderMap): PropertyTree {
    return this.#options.properties(this, { request, response, trailers });
  }

  /** Ends the stream without an answer, or in the middle of one. */
  reset(details: string): void {
    if (this.#finished) return;
    this.resetDetails = details;
    this.#finish();
  }

  sendLocalResponse(response: LocalResponse): void {
    if (this.#finished) return;
    const running = this.#running.at(-1);
    if (running !== undefined) this.#aborted[running] = true;
    if (this.#client !== undefined) {
      this.reset(detailsOf(response.details));
      return;
    }
    this.details = detailsOf(response.details);
    this.local = true;
    if (this.#headers.response !== undefined) this.#replyDirectly(response);
    else if (running === "request") this.#preparedReply = response;
    else this.#replyThroughFilter(response);
  }

  /** The answer goes back the way that one from upstream would, past the filter's own response callbacks. */
  #replyThroughFilter(response: LocalResponse): void {
    const { headers, body } = encodeReply(response, this.#headers.request);
    this.receiveHeaders("response", headers, body.length === 0);
    if (body.length > 0 && !this.#aborted.response) this.receiveData("response", body, true);
  }

  /** The answer from upstream is on its way through the filter; this one takes its place, and no filter sees it. */
  #replyDirectly(response: LocalResponse): void {
    const { headers, body } = encodeReply(response, this.#headers.request);
    this.#headers.response = headers;
    this.#client = new Arrived(headers);
    this.#client.body.add(body);
    this.#endAnswer();
  }

  #path(direction: Direction): PathStream {
    const stream = this;
    return {
      get aborted() {
        return stream.#finished || stream.#aborted[direction];
      },
      get headers() {
        return stream.#headers[direction];
      },
      get trailers() {
        return stream.#trailers[direction];
      },
      bufferLimit: this.#options.bufferLimit,
      during: (call) => this.#during(direction, call),
      tooMuchBuffered: () => this.#tooMuchBuffered(direction),
      fault: (text) => this.#world.faults.push(text),
    };
  }

  #during<T>(direction: Direction, call: () => T): T {
    this.#running.push(direction);
    const answer = call();
    this.#running.pop();
    const prepared = this.#preparedReply;
    if (prepared !== undefined && this.#running.length === 0) {
      this.#preparedReply = undefined;
      this.#replyThroughFilter(prepared);
    }
    return answer;
  }

  #tooMuchBuffered(direction: Direction): void {
    const request = direction === "request";
    const body = Buffer.from(request ? "Payload Too Large" : "Internal Server Error");
    const details = request ? "request_payload_too_large" : "response_payload_too_large";
    this.sendLocalResponse({ code: request ? 413 : 500, details, body, headers: [], grpcStatus: 2 ** 32 - 1 });
  }

  #filterOf(direction: Direction): PathFilter {
    return {
      headers: (map, end) => this.#filter?.[`${direction}Headers`](map, end) ?? 0,
      data: (data, end) => this.#filter?.[`${direction}Data`](data, end) ?? 0,
      trailers: (map) => this.#filter?.[`${direction}Trailers`](map) ?? 0,
    };
  }

  #towardsUpstream(): PathSink {
    const ended = () => {
      const upstream = this.#upstream;
      if (upstream === undefined) return;
      upstream.complete = true;
      this.#world.later(() => {
        if (!this.#finished && this.#headers.response === undefined) this.#options.upstream(upstream, this);
      });
    };
    return {
      headers: (map, end) => {
        this.#upstream = new Arrived(map.copy());
        if (end) ended();
      },
      data: (data, end) => {
        this.#upstream?.body.move(data);
        if (end) ended();
      },
      trailers: (map) => {
        if (this.#upstream !== undefined && map.pairs.length > 0) this.#upstream.trailers = map.copy();
        ended();
      },
    };
  }

  #towardsClient(): PathSink {
    return {
      headers: (map, end) => {
        this.#client = new Arrived(map);
        if (end) this.#endAnswer();
      },
      data: (data, end) => {
        this.#client?.body.move(data);
        if (end) this.#endAnswer();
      },
      trailers: (map) => {
        if (this.#client !== undefined && map.pairs.length > 0) this.#client.trailers = map;
        this.#endAnswer();
      },
    };
  }

  #endAnswer(): void {
    if (this.#client !== undefined) this.#client.complete = true;
    this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#filter?.log(this.#headers.request, this.#headers.response, this.#trailers.response);
    this.#filter?.destroy();
    this.#options.ended();
  }
}
