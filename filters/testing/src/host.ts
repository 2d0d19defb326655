import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { basename } from "node:path";
import type { LogLevel } from "./abi.ts";
import { type Bytes, byteString, bytesOf } from "./bytes.ts";
import type { Plugin, RootContext } from "./context.ts";
import { Exchange } from "./exchange.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { HttpStream } from "./http-stream.ts";
import { Log, type LogLine } from "./log.ts";
import { type GrpcCallHandler, type HttpCall, type HttpCallHandler, Outbox } from "./outbox.ts";
import { type PropertyValue, withProperties } from "./properties.ts";
import {
  type Protocol,
  type Reply,
  type Request,
  requestHeaders,
  respond,
  type Upstream,
  upstreamRequest,
} from "./request.ts";
import { streamProperties } from "./stream-properties.ts";
import { describeTrap, type Trap } from "./trap.ts";
import { MissingImport } from "./vm.ts";
import { type WasmModule, WebAssembly } from "./web-assembly.ts";
import { begin, type FilterSetup, Worker } from "./worker.ts";
import { World } from "./world.ts";

/** A module's file, or the module itself. */
export type ModuleSource = string | URL | Uint8Array;

export interface FilterOptions {
  /** The filter's configuration: text and bytes as they are, anything else as JSON. Empty unless given. */
  readonly config?: unknown;
  /** As in the listener: the module's file name unless given. Also the `root_id` and `vm_id` unless those are given. */
  readonly name?: string;
  readonly rootId?: string;
  readonly vmId?: string;
  readonly vmConfig?: unknown;
  /** Environment variables of the VM. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Worker threads, each with a VM of its own; requests go to them in turn. 1 unless given. */
  readonly workers?: number;
  /** What is logged below it is dropped, and `proxy_get_log_level` answers it. "info" unless given. */
  readonly logLevel?: LogLevel;
  /** What the clock says at first; it moves by `advance` only. 2025-01-01T00:00:00Z unless given. */
  readonly now?: Date;
  /** Between client and proxy, and between proxy and upstream. "HTTP/1.1" unless given. */
  readonly protocol?: Protocol;
  readonly upstreamProtocol?: Protocol;
  /** The most that is held of a body, in bytes; 1 MiB unless given, as in Envoy. */
  readonly bufferLimit?: number;
  /** After a trap: answer 503 ("closed", unless given), pass unfiltered ("open"), or make a new VM ("reload"). */
  readonly failurePolicy?: "closed" | "open" | "reload";
  /** How long after a start a VM that trapped is made anew; 1,000 unless given. */
  readonly reloadBackoffMs?: number;
  readonly allowOnHeadersStopIteration?: boolean;
  /** The host calls and callbacks that the filter may use; all unless given. */
  readonly capabilities?: readonly string[];
  /** Clusters that calls may go to; any unless given. */
  readonly clusters?: readonly string[];
  /** By path, over what the host knows: `{ "xds.route_name": "cart", "connection.mtls": true }`. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  /** What answers behind the filter: 200 without a body unless given. */
  readonly upstream?: Upstream;
  /** Is told of each callback before the module is called. */
  readonly onCallback?: (name: string) => void;
  /** `close` throws when the filter did what no filter should. True unless given. */
  readonly strict?: boolean;
}

/** Why Envoy would not take a module: it is none, it imports what is not there, it trapped, or it answered false. */
export type Refusal = "not a module" | "missing import" | "trap" | "refused";

/** The module cannot be loaded, or refuses its configuration. */
export class FilterRefused extends Error {
  readonly reason: Refusal;
  /** What the module said before. */
  readonly log: readonly LogLine[];

  constructor(reason: Refusal, message: string, log: readonly LogLine[] = []) {
    const said = log.filter(({ level }) => level !== "info").map(({ message }) => `\n  ${message}`);
    super(message + said.join(""));
    this.reason = reason;
    this.log = log;
  }
}

const logCapacity = 10_000;

/**
 * Loads a module as Envoy would: `loadFilter("build/my-filter.wasm", { config })`. Throws FilterRefused when Envoy would
 * not take it. A source map beside the module (`my-filter.wasm.map`) gives traps their file and line.
 */
export async function loadFilter(module: ModuleSource, options: FilterOptions = {}): Promise<Host> {
  const { wasm, sourceMap } = await readModule(module);
  const path = module instanceof URL ? module.pathname : module;
  const name = options.name ?? (typeof path === "string" ? basename(path, ".wasm") : "filter");
  return new Host(wasm, sourceMap, { ...options, name });
}

async function readModule(module: ModuleSource): Promise<{ wasm: Uint8Array; sourceMap: SourceMap | undefined }> {
  if (module instanceof Uint8Array) return { wasm: module, sourceMap: undefined };
  const wasm = await readFile(module);
  const map = module instanceof URL ? new URL(`${module.href}.map`) : `${module}.map`;
  const text = await readFile(map, "utf8").catch(() => undefined);
  return { wasm, sourceMap: text === undefined ? undefined : new SourceMap(JSON.parse(text)) };
}

/** A filter in a proxy that exists only in this process. */
export class Host implements Disposable {
  readonly #options: FilterOptions & { readonly name: string };
  readonly #world: World;
  readonly #workers: Worker[];
  readonly #open = new Set<Exchange>();
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

  /** Sends a request and awaits the answer. Throws when the filter holds it and nothing is under way that could end that. */
  async request(request: Request = {}): Promise<Reply> {
    const exchange = this.open(request);
    if (!exchange.done) throw new Error(`no answer came: ${exchange.state}; use open() for a request that is to wait`);
    return exchange.reply;
  }

  /** Sends a whole request, and leaves it to the test what happens before its answer. */
  open(request: Request = {}): Exchange {
    return this.#begin(request, true);
  }

  /** Sends a request's headers; `send` and `end` of the answer send the rest. */
  start(request: Request = {}): Exchange {
    return this.#begin(request, false);
  }

  #begin(request: Request, whole: boolean): Exchange {
    const { bufferLimit = 1 << 20, protocol = "HTTP/1.1", failurePolicy } = this.#options;
    const worker = this.#workers[this.#requests++ % this.#workers.length];
    if (worker === undefined) throw new Error("a host has at least one worker");
    if (worker.root.vm.trap !== undefined && failurePolicy === "reload" && this.#backoffOver) {
      worker.reload();
      this.#reloadedAt = this.#world.clock.elapsedNanoseconds;
    }
    const unfiltered = worker.root.vm.trap !== undefined && failurePolicy === "open";
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
            { ...this.#options.properties, ...request.properties },
          ),
        ended: () => {
          this.#open.delete(exchange);
          ended();
        },
      },
      (calls) => {
        if (unfiltered) return undefined;
        const made = worker.httpContext(calls);
        ended = made.ended;
        return made.context;
      },
    );
    const exchange = new Exchange(stream, request, protocol, () => this.#world.settle());
    this.#open.add(exchange);
    exchange.begin(requestHeaders(request, { hasBody: !whole || request.body !== undefined }), whole);
    return exchange;
  }

  /** Moves the clock on: ticks and timeouts that fall due happen, each at its time. */
  advance(milliseconds: number): void {
    this.#world.clock.advance(milliseconds, () => this.#world.settle());
  }

  /** Answers the filter's HTTP calls; one that is answered with undefined waits in `httpCalls`. */
  onHttpCall(handler: HttpCallHandler): void {
    this.#world.outbox.onHttpCall = handler;
  }

  onGrpcCall(handler: GrpcCallHandler): void {
    this.#world.outbox.onGrpcCall = handler;
  }

  /** HTTP calls without an answer yet. */
  get httpCalls(): readonly HttpCall[] {
    return this.#world.outbox.httpCalls;
  }

  get grpcCalls(): readonly GrpcCall[] {
    return this.#world.outbox.grpcCalls;
  }

  /** Lets happen what answers outside of a request have begun. */
  settle(): void {
    this.#world.settle();
  }

  /** What the filter logged, oldest first. */
  get log(): readonly LogLine[] {
    return this.#world.log.lines;
  }

  /** Counters and gauges by name, with their tags in it: `request_policy.denied;rule=internal`. */
  get metrics(): Readonly<Record<string, number>> {
    return this.#world.metrics.values;
  }

  /** All that was recorded. */
  histogram(name: string): readonly number[] {
    return this.#world.metrics.find(2, name)?.samples.map(Number) ?? [];
  }

  sharedData(key: string): string | undefined {
    return this.#world.sharedData.get(this.#setup.settings.id, byteString(key))?.value.toString("utf8");
  }

  setSharedData(key: string, value: Bytes): void {
    this.#world.sharedData.set(this.#setup.settings.id, byteString(key), bytesOf(value), 0);
  }

  /** Why the filter does not run any more; undefined while it does. */
  get trap(): Trap | undefined {
    return this.#workers.map(({ root }) => root.vm.trap).find((trap) => trap !== undefined);
  }

  /** What the VM of the first worker has, in bytes. */
  get memoryBytes(): number {
    return this.#workers[0]?.root.vm.memory.byteLength ?? 0;
  }

  /**
   * Puts another configuration or other code in place, as a push does: requests under way end with what they began
   * with. Throws FilterRefused, and changes nothing, when the module refuses.
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
    // Envoy tries it in a VM of its own first.
    begun(setup, this.#newWorld());
    this.#setup = setup;
    for (const worker of this.#workers) worker.swap(setup);
    this.#world.settle();
  }

  /** What no filter should do, or leave undone: it is what `close` throws about. */
  get faults(): readonly string[] {
    return this.#world.faults;
  }

  /** Removes the filter. In strict mode throws when it left something behind, trapped, or did what Envoy forbids. */
  close(): void {
    const { faults } = this.#world;
    for (const exchange of this.#open) {
      faults.push(`a request to ${exchange.path} has had no answer: ${exchange.state}`);
      exchange.cancel();
    }
    for (const { cluster } of this.httpCalls) faults.push(`an HTTP call to ${cluster} is still without an answer`);
    for (const { method } of this.grpcCalls) faults.push(`a gRPC call to ${method} is still open`);
    for (const worker of this.#workers) {
      if (worker.root.vm.trap !== undefined) faults.push(describeTrap(worker.root.vm.trap));
      worker.end();
      this.#world.settle();
      if (worker.root.pendingDone)
        faults.push("the root context asked for time when it was removed, and never said proxy_done");
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

function compile(wasm: Uint8Array): WasmModule {
  try {
    return new WebAssembly.Module(wasm);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FilterRefused("not a module", `this is no module: ${message}`);
  }
}

function begun(setup: FilterSetup, world: World): RootContext {
  const { name } = setup.plugin;
  try {
    const outcome = begin(setup, world);
    if ("root" in outcome) return outcome.root;
    if ("trap" in outcome) throw new FilterRefused("trap", describeTrap(outcome.trap), world.log.lines.slice(0, -1));
    throw new FilterRefused("refused", `${name} answers false in ${outcome.refusedIn}`, world.log.lines);
  } catch (error) {
    if (!(error instanceof MissingImport)) throw error;
    throw new FilterRefused("missing import", `${name} imports ${error.message}, which Envoy does not have`);
  }
}

function configurationOf(config: unknown): Buffer {
  if (config === undefined) return Buffer.alloc(0);
  return bytesOf(typeof config === "string" || config instanceof Uint8Array ? config : JSON.stringify(config));
}
