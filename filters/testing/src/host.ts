import type { SourceMap } from "node:module";
import { basename } from "node:path";
import { type Bytes, byteString, bytesOf } from "./bytes.ts";
import { Connection } from "./connection.ts";
import type { Plugin } from "./context.ts";
import { Exchange } from "./exchange.ts";
import type { FilterOptions, ModuleSource } from "./filter-options.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { HeaderMap } from "./header-map.ts";
import { HttpContext } from "./http-context.ts";
import { HttpStream } from "./http-stream.ts";
import { begun, compile, configurationOf, readModule } from "./load.ts";
import { Log, type LogLine } from "./log.ts";
import { type GrpcCallHandler, type HttpCall, type HttpCallHandler, Outbox } from "./outbox.ts";
import { withProperties } from "./properties.ts";
import {
  type Reply,
  type Request,
  requestHeaders,
  respond,
  responseHeaders,
  type UpstreamResponse,
  upstreamRequest,
} from "./request.ts";
import { connectionProperties, routeProperties, streamProperties } from "./stream-properties.ts";
import { TcpContext } from "./tcp-context.ts";
import { describeTrap, type Trap } from "./trap.ts";
import { type FilterSetup, Worker } from "./worker.ts";
import { World } from "./world.ts";

const logCapacity = 10_000;

/**
 * Loads a module as Envoy would: `loadFilter("build/my-filter.wasm", { config })`. Throws FilterRejected when Envoy
 * would reject it. With a source map beside the module (`my-filter.wasm.map`), traps name their file and line.
 */
export async function loadFilter(module: ModuleSource, options: FilterOptions = {}): Promise<Host> {
  const { wasm, sourceMap } = await readModule(module);
  const path = module instanceof URL ? module.pathname : module;
  const name = options.name ?? (typeof path === "string" ? basename(path, ".wasm") : "filter");
  return new Host(wasm, sourceMap, { ...options, name });
}

/** A filter in a simulated proxy. */
export class Host implements Disposable {
  readonly #options: FilterOptions & { readonly name: string };
  readonly #world: World;
  readonly #workers: Worker[];
  readonly #open = new Set<Exchange>();
  readonly #connections = new Set<Connection>();
  #setup: FilterSetup;
  #requests = 0;
  #reloadedAt = 0n;

  constructor(wasm: Uint8Array, sourceMap: SourceMap | undefined, options: FilterOptions & { readonly name: string }) {
    this.#options = options;
    this.#world = this.#newWorld();
    this.#setup = {
      module: compile(wasm),
      settings: {
        id: options.vmId ?? options.name,
        configuration: configurationOf(options.vmConfig),
        environment: options.environment ?? {},
        ...(options.capabilities && { capabilities: new Set(options.capabilities) }),
        ...(sourceMap && { sourceMap }),
      },
      plugin: this.#plugin(options.config),
    };
    const setup = this.#setup;
    this.#workers = Array.from({ length: options.workers ?? 1 }, () => {
      return new Worker(setup, begun(setup, this.#world), this.#world);
    });
    this.#world.settle();
  }

  /** Sends a request and returns the answer. Throws when the filter holds it and nothing pending can release it. */
  async request(request: Request = {}): Promise<Reply> {
    const exchange = this.open(request);
    if (!exchange.done) throw new Error(`no answer came: ${exchange.state}; use open() for a request that should wait`);
    return exchange.reply;
  }

  /** Sends a whole request, and does not require an answer. The test decides what happens before the answer. */
  open(request: Request = {}): Exchange {
    return this.#begin(request, true);
  }

  /** Sends only the headers of a request. `send` and `end` of the result send the rest. */
  start(request: Request = {}): Exchange {
    return this.#begin(request, false);
  }

  /** Lets a plugin that only logs write its line about a request and its answer. */
  logAccess(request: Request, answer: UpstreamResponse = {}): void {
    const { worker } = this.#nextWorker();
    const response = responseHeaders(answer);
    const named = { ...this.#options.properties, ...request.properties };
    worker.root.log({
      request: requestHeaders(request, { hasBody: request.body !== undefined }),
      response,
      ...(answer.trailers && { trailers: new HeaderMap("responseTrailers", answer.trailers) }),
      properties: withProperties({ response: { code: Number(response.get(":status")) } }, named),
    });
    this.#world.settle();
  }

  /** Opens a TCP connection through a network filter. */
  connect(options: Pick<Request, "properties"> = {}): Connection {
    const { worker, unfiltered } = this.#nextWorker();
    const connectionId = this.#requests;
    let ended = () => {};
    const named = { ...this.#options.properties, ...options.properties };
    let opened: Connection | undefined;
    const connection = new Connection(
      {
        properties: () => withProperties(connectionProperties(connectionId), named),
        settle: () => this.#world.settle(),
        ended: () => {
          if (opened !== undefined) this.#connections.delete(opened);
          ended();
        },
      },
      (calls) => {
        if (unfiltered) return undefined;
        const made = worker.serve((root) => new TcpContext(root.vm, root.plugin, root, calls));
        ended = made.ended;
        return made.context;
      },
    );
    opened = connection;
    if (connection.closed === undefined) this.#connections.add(connection);
    return connection;
  }

  #sharedValue(key: string): Buffer | undefined {
    return this.#world.sharedData.get(this.#setup.settings.id, byteString(key))?.value;
  }

  /** After a trap, the failure policy may reload the VM or let requests pass unfiltered. */
  #nextWorker(): { readonly worker: Worker; readonly unfiltered: boolean } {
    const { failurePolicy } = this.#options;
    const worker = this.#workers[this.#requests++ % this.#workers.length];
    if (worker === undefined) throw new Error("a host has at least one worker");
    if (worker.root.vm.trap !== undefined && failurePolicy === "reload" && this.#backoffOver) {
      worker.reload();
      this.#reloadedAt = this.#world.clock.elapsedNanoseconds;
    }
    return { worker, unfiltered: worker.root.vm.trap !== undefined && failurePolicy === "open" };
  }

  #begin(request: Request, whole: boolean): Exchange {
    const { bufferLimit = 1 << 20, protocol = "HTTP/1.1" } = this.#options;
    const { worker, unfiltered } = this.#nextWorker();
    const connectionId = this.#requests;
    const startedAt = this.#world.clock.date;
    let ended = () => {};
    const stream = new HttpStream(
      this.#world,
      {
        bufferLimit,
        protocol,
        upstream: (received, stream) => this.#answer(request, upstreamRequest(received), stream),
        properties: (stream, headers) =>
          withProperties(
            streamProperties({
              ...headers,
              connectionId,
              startedAt,
              protocol,
              receivedBytes: exchange.sentBytes,
              sentBytes: stream.client?.body.length ?? 0,
              responseCode: stream.responseCode,
              details: stream.details,
              cancelled: stream.cancelled,
            }),
            { ...this.#options.properties, ...request.properties, ...routeProperties(stream.details) },
          ),
        ended: () => {
          this.#open.delete(exchange);
          ended();
        },
      },
      (calls) => {
        if (unfiltered) return undefined;
        const made = worker.serve((root) => new HttpContext(root.vm, root.plugin, root, calls));
        ended = made.ended;
        return made.context;
      },
    );
    const exchange = new Exchange(stream, request, protocol, () => this.#world.settle());
    this.#open.add(exchange);
    exchange.begin(requestHeaders(request, { hasBody: !whole || request.body !== undefined }), whole);
    return exchange;
  }

  /** Advances the clock. Ticks and timeouts that are due happen, each at its time. */
  advance(milliseconds: number): void {
    this.#world.clock.advance(milliseconds, () => this.#world.settle());
  }

  /** Answers the filter's HTTP calls. A call stays in `httpCalls` when the handler returns undefined. */
  onHttpCall(handler: HttpCallHandler): void {
    this.#world.outbox.onHttpCall = handler;
  }

  onGrpcCall(handler: GrpcCallHandler): void {
    this.#world.outbox.onGrpcCall = handler;
  }

  /** HTTP calls that have no answer yet. */
  get httpCalls(): readonly HttpCall[] {
    return this.#world.outbox.httpCalls;
  }

  get grpcCalls(): readonly GrpcCall[] {
    return this.#world.outbox.grpcCalls;
  }

  /** Runs everything that is pending. Call it after answering a call outside of a handler. */
  settle(): void {
    this.#world.settle();
  }

  /** The filter's log lines, oldest first. */
  get log(): readonly LogLine[] {
    return this.#world.log.lines;
  }

  /** Counters and gauges by name. Tags are part of the name: `request_policy.denied;rule=internal`. */
  get metrics(): Readonly<Record<string, number>> {
    return this.#world.metrics.values;
  }

  /** All recorded values. */
  histogram(name: string): readonly number[] {
    return this.#world.metrics.find(2, name)?.samples.map(Number) ?? [];
  }

  sharedData(key: string): string | undefined {
    return this.#sharedValue(key)?.toString("utf8");
  }

  /** Like `sharedData`, but as bytes. */
  sharedDataBytes(key: string): Uint8Array | undefined {
    return this.#sharedValue(key);
  }

  setSharedData(key: string, value: Bytes): void {
    this.#world.sharedData.set(this.#setup.settings.id, byteString(key), bytesOf(value), 0);
  }

  /** The trap that stopped the filter; undefined while it runs. */
  get trap(): Trap | undefined {
    return this.#workers.map(({ root }) => root.vm.trap).find((trap) => trap !== undefined);
  }

  /** The memory of the first worker's VM, in bytes. */
  get memoryBytes(): number {
    return this.#workers[0]?.root.vm.memory.byteLength ?? 0;
  }

  /**
   * Replaces the configuration or the code, as a push does. Open requests end with the configuration and code that they
   * began with. Throws FilterRejected, and changes nothing, when the module rejects its configuration.
   */
  async swap(to: { readonly module?: ModuleSource; readonly config?: unknown }): Promise<void> {
    let { module, settings, plugin } = this.#setup;
    if (to.module !== undefined) {
      const { wasm, sourceMap } = await readModule(to.module);
      module = compile(wasm);
      const { sourceMap: _before, ...rest } = settings;
      settings = sourceMap === undefined ? rest : { ...rest, sourceMap };
    }
    if ("config" in to) plugin = this.#plugin(to.config);
    const setup = { module, settings, plugin };
    // Like Envoy, try it in a separate VM first.
    begun(setup, this.#newWorld());
    this.#setup = setup;
    for (const worker of this.#workers) worker.swap(setup);
    this.#world.settle();
  }

  /** The filter's mistakes, such as calls that Envoy forbids. `close` throws when there are any. */
  get faults(): readonly string[] {
    return this.#world.faults;
  }

  /**
   * Removes the filter. In strict mode, throws when the filter left something open, trapped, or did what Envoy forbids.
   */
  close(): void {
    const { faults } = this.#world;
    for (const connection of this.#connections) connection.close();
    for (const exchange of this.#open) {
      faults.push(`a request to ${exchange.path} has no answer: ${exchange.state}`);
      exchange.cancel();
    }
    for (const { cluster } of this.httpCalls) faults.push(`an HTTP call to ${cluster} has no answer`);
    for (const { method } of this.grpcCalls) faults.push(`a gRPC call to ${method} is still open`);
    for (const worker of this.#workers) {
      if (worker.root.vm.trap !== undefined) faults.push(describeTrap(worker.root.vm.trap));
      worker.end();
      this.#world.settle();
      if (worker.root.pendingDone)
        faults.push("the root context asked for time when it was removed, and never called proxy_done");
    }
    if (this.#options.strict !== false && faults.length > 0) throw new Error(faults.join("\n"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #answer(request: Request, received: ReturnType<typeof upstreamRequest>, stream: HttpStream): void {
    const upstream = request.upstream ?? this.#options.upstream ?? (() => ({}));
    respond(stream, upstream(received), this.#options.upstreamProtocol ?? "HTTP/1.1");
  }

  get #backoffOver(): boolean {
    const { reloadBackoffMs = 1000 } = this.#options;
    return this.#world.clock.elapsedNanoseconds - this.#reloadedAt >= BigInt(reloadBackoffMs) * 1_000_000n;
  }

  #plugin(config: unknown): Plugin {
    const { name, rootId = name, allowOnHeadersStopIteration = false } = this.#options;
    return { name, rootId, configuration: configurationOf(config), allowOnHeadersStopIteration };
  }

  #newWorld(): World {
    const { now = new Date("2025-01-01T00:00:00Z"), logLevel = "info", clusters, onCallback } = this.#options;
    const log = new Log(logLevel, logCapacity);
    return new World({ now, log, outbox: new Outbox(clusters), ...(onCallback && { onCallback }) });
  }
}
