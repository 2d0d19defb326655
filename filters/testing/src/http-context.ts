import { bufferType, dataStatus, headerMap, headersStatus, status, streamType } from "./abi.ts";
import type { ByteBuffer, ByteString } from "./bytes.ts";
import type { LocalResponse, Readable } from "./calls/caller.ts";
import { Context, type Plugin, type RootContext } from "./context.ts";
import type { FilterPath } from "./filter-path.ts";
import type { HeaderMap } from "./header-map.ts";
import type { PropertyTree } from "./properties.ts";
import type { Vm } from "./vm.ts";

/** The operations of a stream that its filter can ask for. */
export interface HttpStreamCalls {
  readonly request: FilterPath;
  readonly response: FilterPath;
  readonly filterState: Map<ByteString, Buffer>;
  readonly destroyed: boolean;
  /** A local response replaced the response headers that the filter saw. */
  readonly responseReplaced: boolean;
  properties(
    request: HeaderMap | undefined,
    response: HeaderMap | undefined,
    trailers: HeaderMap | undefined,
  ): PropertyTree;
  addTrailers(direction: "request" | "response"): HeaderMap;
  sendLocalResponse(response: LocalResponse): void;
  reset(details: string): void;
  /** Makes the proxy choose the route again. */
  clearRoute(): void;
}

/** The parts of one direction that the filter saw and can still read. */
class Seen {
  headers: HeaderMap | undefined;
  body: ByteBuffer | undefined;
  trailers: HeaderMap | undefined;
  /** The body is held as a whole, and the filter sees all of it. */
  buffering = false;
  /** The callback that the body was passed to has ended. */
  stale = false;
}

const mayDie = "Envoy may crash";

/** The filter of one HTTP stream, between Envoy's filter manager and the module. */
export class HttpContext extends Context {
  readonly #calls: HttpStreamCalls;
  readonly #request = new Seen();
  readonly #response = new Seen();
  #end = false;
  /** The module trapped, and the stream was answered with 503. */
  #failureAnswered = false;
  #destroyed = false;

  constructor(vm: Vm, plugin: Plugin, root: RootContext, calls: HttpStreamCalls) {
    super(vm, plugin, root);
    this.#calls = calls;
  }

  requestHeaders(map: HeaderMap, end: boolean): number {
    this.create();
    return this.#headers("request", map, end);
  }

  responseHeaders(map: HeaderMap, end: boolean): number {
    if (!this.created || this.#failureAnswered) return headersStatus.continue;
    return this.#headers("response", map, end);
  }

  requestData(data: ByteBuffer, end: boolean): number {
    return this.created ? this.#data("request", data, end) : dataStatus.continue;
  }

  responseData(data: ByteBuffer, end: boolean): number {
    if (!this.created || this.#failureAnswered) return dataStatus.continue;
    return this.#data("response", data, end);
  }

  requestTrailers(map: HeaderMap): number {
    return this.created ? this.#trailers("request", map) : 0;
  }

  responseTrailers(map: HeaderMap): number {
    if (!this.created || this.#failureAnswered) return 0;
    return this.#trailers("response", map);
  }

  destroy(): void {
    if (this.#destroyed || !this.created) return;
    this.#destroyed = true;
    this.notify("proxy_on_done");
    this.notify("proxy_on_delete");
    this.vm.contexts.delete(this.id);
  }

  override mutableMap(type: number): HeaderMap | undefined {
    if (type === headerMap.requestHeaders) return this.#request.headers;
    if (type === headerMap.responseHeaders) return this.#responseHeaders;
    if (type === headerMap.requestTrailers) return this.#trailersToChange("request", this.#request);
    return type === headerMap.responseTrailers ? this.#trailersToChange("response", this.#response) : undefined;
  }

  override readableMap(type: number): HeaderMap | undefined {
    if (this.logging) return super.readableMap(type);
    if (type === headerMap.requestHeaders) return this.#request.headers;
    if (type === headerMap.requestTrailers) return this.#request.trailers;
    if (type === headerMap.responseHeaders) return this.#responseHeaders;
    return type === headerMap.responseTrailers ? this.#response.trailers : super.readableMap(type);
  }

  override buffer(type: number): Readable | "none" {
    if (type === bufferType.requestBody) return this.#body(this.#request, this.#calls.request);
    if (type === bufferType.responseBody) return this.#body(this.#response, this.#calls.response);
    return super.buffer(type);
  }

  override continueStream(stream: number): number {
    if (stream === streamType.request) this.vm.defer(() => this.#calls.request.resume());
    else if (stream === streamType.response) this.vm.defer(() => this.#calls.response.resume());
    else return super.continueStream(stream);
    this.#request.headers = undefined;
    this.#request.body = undefined;
    this.#request.trailers = undefined;
    return status.ok;
  }

  override closeStream(stream: number): number {
    if (stream === streamType.request || stream === streamType.response) {
      this.vm.defer(() => this.#calls.reset("wasm_close_stream"));
    }
    return status.ok;
  }

  override sendLocalResponse(response: LocalResponse): void {
    this.vm.defer(() => this.#calls.sendLocalResponse(response));
  }

  override clearRouteCache(): void {
    this.#calls.clearRoute();
  }

  override get filterState(): Map<ByteString, Buffer> {
    return this.#calls.filterState;
  }

  override get properties(): PropertyTree {
    const [request, response, trailers] = [0, 2, 3].map((type) => this.readableMap(type));
    return { ...super.properties, ...this.#calls.properties(request, response, trailers) };
  }

  get #responseHeaders(): HeaderMap | undefined {
    const { headers } = this.#response;
    if (headers !== undefined && this.#calls.responseReplaced) {
      this.vm.world.faults.push(`response headers were used after a local response replaced them; ${mayDie}`);
    }
    return headers;
  }

  #seen(direction: "request" | "response"): Seen {
    return direction === "request" ? this.#request : this.#response;
  }

  #headers(direction: "request" | "response", map: HeaderMap, end: boolean): number {
    const seen = this.#seen(direction);
    seen.headers = map;
    this.#end = end;
    const answer = this.#ask(`proxy_on_${direction}_headers`, [map.pairs.length, Number(end)], {
      failed: headersStatus.stopAllWatermark,
      stopped: headersStatus.stopAllWatermark,
      highest: headersStatus.stopAllWatermark,
    });
    if (answer === headersStatus.continue || answer === headersStatus.continueAndEnd) {
      seen.headers = undefined;
      return headersStatus.continue;
    }
    const stopsAll = answer === headersStatus.stop && !this.plugin.allowOnHeadersStopIteration;
    return stopsAll ? headersStatus.stopAllWatermark : answer;
  }

  #data(direction: "request" | "response", data: ByteBuffer, end: boolean): number {
    const seen = this.#seen(direction);
    const path = this.#calls[direction];
    if (seen.buffering) {
      path.hold(data);
      if (this.#calls.destroyed) return dataStatus.stopAndBuffer;
    }
    seen.body = data;
    seen.stale = false;
    this.#end = end;
    const body = this.#body(seen, path);
    const size = body?.length ?? 0;
    const answer = this.#ask(`proxy_on_${direction}_body`, [size, Number(end)], {
      failed: dataStatus.stopNoBuffer,
      stopped: dataStatus.stopNoBuffer,
      highest: dataStatus.stopNoBuffer,
    });
    seen.buffering = answer === dataStatus.stopAndBuffer;
    seen.stale = true;
    if (answer === dataStatus.continue) seen.body = undefined;
    return answer;
  }

  #trailers(direction: "request" | "response", map: HeaderMap): number {
    const seen = this.#seen(direction);
    seen.trailers = map;
    const limits = { failed: 1, stopped: 1, highest: 1 };
    const answer = this.#ask(`proxy_on_${direction}_trailers`, [map.pairs.length], limits);
    if (answer === 0) seen.trailers = undefined;
    return answer;
  }

  /** Calls the module, unless it trapped earlier. Answers 503 when it trapped. */
  #ask(
    callback: string,
    values: readonly number[],
    limits: { readonly failed: number; readonly stopped: number; readonly highest: number },
  ): number {
    if (!this.failed) {
      if (!this.vm.has(callback)) return 0;
      return this.vm.callback(this, callback, [this.id, ...values], (answer, stopped) => {
        if (this.failed) return this.#whenFailed(limits.failed);
        return stopped ? limits.stopped : Math.min(answer, limits.highest);
      });
    }
    return this.#whenFailed(limits.failed);
  }

  #whenFailed(stop: number): number {
    if (!this.#failureAnswered) {
      this.#failureAnswered = true;
      const nothing = { body: Buffer.alloc(0), headers: [] };
      this.#calls.sendLocalResponse({ code: 503, details: "wasm_fail_stream", grpcStatus: 14, ...nothing });
    }
    return stop;
  }

  #trailersToChange(direction: "request" | "response", seen: Seen): HeaderMap | undefined {
    if (seen.trailers === undefined && seen.body !== undefined && this.#end) {
      seen.trailers = this.#calls.addTrailers(direction);
    }
    return seen.trailers;
  }

  #body(seen: Seen, path: FilterPath): ByteBuffer | undefined {
    const { faults } = this.vm.world;
    if (!seen.buffering) {
      if (seen.body !== undefined && seen.stale)
        faults.push(`a body was used after its callback, unbuffered; ${mayDie}`);
      return seen.body;
    }
    if (path.buffered === undefined) faults.push(`a body was buffered and used when its stream had ended; ${mayDie}`);
    return path.buffered;
  }
}
