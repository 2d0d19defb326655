import { ByteBuffer, type ByteString } from "./bytes.ts";
import type { LocalResponse } from "./calls/caller.ts";
import { FilterPath, type PathFilter, type PathSink, type PathStream } from "./filter-path.ts";
import { HeaderMap } from "./header-map.ts";
import type { HttpContext, HttpStreamCalls } from "./http-context.ts";
import { detailsOf, encodeReply } from "./local-reply.ts";
import type { PropertyTree } from "./properties.ts";
import type { World } from "./world.ts";

/** Headers, body and trailers as they arrived at one side. */
export interface Received {
  readonly headers: HeaderMap;
  readonly body: ByteBuffer;
  readonly trailers: HeaderMap | undefined;
  /** True when the end arrived too. */
  readonly complete: boolean;
}

export interface HttpStreamOptions {
  readonly protocol: "HTTP/1.1" | "HTTP/2";
  readonly bufferLimit: number;
  /** Answers a request. Called when all of it arrived upstream. */
  readonly upstream: (request: Received, stream: HttpStream) => void;
  readonly properties: (stream: HttpStream, headers: PropertyHeaders) => PropertyTree;
  /** Called when the stream is over and its filter removed. */
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

const noGrpcStatus = 0xffffffff;

type Direction = "request" | "response";

/**
 * One HTTP request and its response through one filter: a small model of Envoy's connection manager, filter manager and
 * router.
 */
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
  /** The filter changed the request's headers, so the proxy must choose the route again. */
  #routeCleared = false;
  #preparedReply: LocalResponse | undefined;
  #upstream: Arrived | undefined;
  #client: Arrived | undefined;
  /** The whole request arrived. */
  #requestComplete = false;
  /** The whole answer arrived at the proxy. The filter may still hold it. */
  #answerComplete = false;
  /** The whole answer was sent to the client. */
  #answerSent = false;
  /** The number of nested deliveries from the client. */
  #receiving = 0;
  #destroyed = false;
  /** Why the client did not get the whole answer. */
  resetDetails: string | undefined;
  /** %RESPONSE_CODE_DETAILS%; undefined before there is a response. */
  details: string | undefined;
  /** First the status from upstream or the proxy, then the status that was sent to the client. */
  responseCode: number | undefined;
  /** True when the answer did not come from upstream. */
  local = false;
  responseReplaced = false;
  cancelled = false;

  /** `filter` creates the filter of the stream. When it returns undefined, everything passes. */
  constructor(world: World, options: HttpStreamOptions, filter: (calls: HttpStreamCalls) => HttpContext | undefined) {
    this.#world = world;
    this.#options = options;
    this.request = new FilterPath(this.#path("request"), this.#filterOf("request"), this.#towardsUpstream());
    this.response = new FilterPath(this.#path("response"), this.#filterOf("response"), this.#towardsClient());
    this.#filter = filter(this);
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** True when the whole request arrived. */
  get requestComplete(): boolean {
    return this.#requestComplete;
  }

  get upstream(): Received | undefined {
    return this.#upstream;
  }

  get client(): Received | undefined {
    return this.#client;
  }

  receiveHeaders(direction: Direction, map: HeaderMap, end: boolean): void {
    this.#receive(direction, end, () => {
      this.#headers[direction] = map;
      if (direction === "response") {
        this.details ??= "via_upstream";
        this.responseCode = Number(map.get(":status"));
      }
      this[direction].receiveHeaders(map, end);
    });
  }

  receiveData(direction: Direction, bytes: Uint8Array, end: boolean): void {
    this.#receive(direction, end, () => this[direction].receiveData(new ByteBuffer(bytes), end));
  }

  receiveTrailers(direction: Direction, map: HeaderMap): void {
    this.#receive(direction, true, () => {
      this.#trailers[direction] = map;
      this[direction].receiveTrailers(map);
    });
  }

  addTrailers(direction: Direction): HeaderMap {
    const map = new HeaderMap(`${direction}Trailers`);
    this.#trailers[direction] = map;
    return map;
  }

  properties(request?: HeaderMap, response?: HeaderMap, trailers?: HeaderMap): PropertyTree {
    return this.#options.properties(this, { request, response, trailers });
  }

  /** The client closes its connection or resets the stream. */
  cancel(): void {
    const details = this.#options.protocol === "HTTP/2" ? "http2.remote_reset" : "downstream_remote_disconnect";
    if (this.#destroyed) return;
    this.details = details;
    this.cancelled = true;
    this.reset(details);
  }

  /** Ends the stream without an answer, or in the middle of one. */
  reset(details: string): void {
    if (this.#destroyed) return;
    const running = this.#running.at(-1);
    if (running !== undefined) this.#aborted[running] = true;
    if (!this.#answerSent) this.resetDetails = details;
    this.details ??= details;
    this.#answerComplete = true;
    this.#answerSent = true;
    this.#destroy();
  }

  sendLocalResponse(response: LocalResponse): void {
    if (this.#destroyed) return;
    const running = this.#running.at(-1);
    if (running !== undefined) this.#aborted[running] = true;
    this.details = detailsOf(response.details);
    if (this.#client !== undefined) {
      this.reset(this.details);
      return;
    }
    this.local = true;
    if (this.#headers.response !== undefined) this.#replyDirectly(response);
    else if (running === "request") this.#preparedReply ??= response;
    else this.#replyThroughFilter(response);
  }

  clearRoute(): void {
    if (this.#headers.response !== undefined) {
      this.#world.faults.push(
        "the request's headers or route were changed after the response began; Envoy reports a bug",
      );
    }
    this.#routeCleared = true;
  }

  #receive(direction: Direction, end: boolean, deliver: () => void): void {
    if (this.#destroyed) return;
    if (direction === "response") {
      this.#answerComplete = end;
      deliver();
      return;
    }
    this.#requestComplete = end;
    this.#receiving++;
    deliver();
    this.#receiving--;
    if (this.#answerSent) this.#ended();
  }

  /** Sends the answer through the filter's response callbacks, like an answer from upstream. */
  #replyThroughFilter(response: LocalResponse): void {
    const { headers, body } = encodeReply(response, this.#headers.request);
    this.receiveHeaders("response", headers, body.length === 0);
    if (body.length > 0) this.receiveData("response", body, true);
  }

  /** Replaces an answer from upstream that is in the filter. No filter sees the new answer. */
  #replyDirectly(response: LocalResponse): void {
    const { headers, body } = encodeReply(response, this.#headers.request);
    this.responseReplaced = true;
    this.#headers.response = headers;
    this.#sendHeaders(headers);
    this.#client?.body.add(body);
    this.#endAnswer();
  }

  #path(direction: Direction): PathStream {
    const stream = this;
    const request = direction === "request";
    return {
      direction,
      bufferLimit: this.#options.bufferLimit,
      get headers() {
        return stream.#headers[direction];
      },
      get trailers() {
        return stream.#trailers[direction];
      },
      get complete() {
        return request ? stream.#requestComplete : stream.#answerComplete;
      },
      get drops() {
        return stream.#destroyed || (request && stream.#answerComplete);
      },
      get resumable() {
        return !(request ? stream.#answerComplete : stream.#answerSent);
      },
      get aborted() {
        return stream.#aborted[direction];
      },
      during: (call) => {
        this.#running.push(direction);
        const answer = call();
        this.#running.pop();
        return answer;
      },
      sendPrepared: () => {
        const prepared = this.#preparedReply;
        this.#preparedReply = undefined;
        if (prepared !== undefined && request) this.#replyThroughFilter(prepared);
      },
      tooMuchBuffered: () => this.#tooMuchBuffered(direction),
      fault: (text) => this.#world.faults.push(text),
    };
  }

  #tooMuchBuffered(direction: Direction): void {
    const request = direction === "request";
    const body = Buffer.from(request ? "Payload Too Large" : "Internal Server Error");
    const details = request ? "request_payload_too_large" : "response_payload_too_large";
    this.sendLocalResponse({ code: request ? 413 : 500, details, body, headers: [], grpcStatus: noGrpcStatus });
  }

  #noRoute(): void {
    const nothing = { body: Buffer.alloc(0), headers: [], grpcStatus: noGrpcStatus };
    this.sendLocalResponse({ code: 404, details: "route_not_found", ...nothing });
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
      this.#checkLength("a request", upstream);
      this.#world.later(() => {
        if (!this.#destroyed && this.#headers.response === undefined) this.#options.upstream(upstream, this);
      });
    };
    return {
      headers: (map, end) => {
        // Without this header, Envoy finds no route.
        if (this.#routeCleared && (map.get("x-forwarded-proto") ?? "") === "") this.#noRoute();
        else this.#upstream = new Arrived(map.copy());
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
        if (map.get(":status") === undefined) {
          const body = Buffer.from("missing required header: :status");
          const details = `filter_removed_required_response_headers{${body.toString()}}`;
          this.sendLocalResponse({ code: 502, details, body, headers: [], grpcStatus: noGrpcStatus });
          return;
        }
        this.#sendHeaders(map);
        if (end) this.#endAnswer();
      },
      data: (data, end) => {
        this.#client?.body.move(data);
        if (end) this.#endAnswer();
      },
      trailers: (map) => {
        if (this.#client !== undefined && map.pairs.length > 0) this.#client.trailers = map.copy();
        this.#endAnswer();
      },
    };
  }

  #sendHeaders(map: HeaderMap): void {
    map.set("date", this.#world.clock.date.toUTCString());
    this.responseCode = Number(map.get(":status"));
    this.#client = new Arrived(map.copy());
  }

  #endAnswer(): void {
    if (this.#client !== undefined) {
      this.#client.complete = true;
      this.#checkLength("an answer", this.#client);
    }
    this.#answerSent = true;
    this.#ended();
  }

  /** Envoy also sends a wrong length, and then the receiver closes the connection. */
  #checkLength(what: string, { headers, body }: Arrived): void {
    const length = headers.get("content-length");
    if (length === undefined || this.#headers.request?.get(":method") === "HEAD" || Number(length) === body.length)
      return;
    this.#world.faults.push(`${what} of ${body.length} bytes left with "content-length: ${length}"`);
  }

  /**
   * Over HTTP/2, an answer is sent when all received data is processed. The stream of a complete request ends only
   * then.
   */
  #ended(): void {
    const leavesLater = this.#options.protocol === "HTTP/2" && this.#requestComplete;
    if (this.#receiving === 0 || !leavesLater) this.#destroy();
  }

  #destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    const { request, response } = this.#headers;
    const trailers = this.#trailers.response;
    this.#filter?.log({ ...(request && { request }), ...(response && { response }), ...(trailers && { trailers }) });
    this.#filter?.destroy();
    this.#options.ended();
  }
}
