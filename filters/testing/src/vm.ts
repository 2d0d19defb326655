import type { SourceMap } from "node:module";
import { status } from "./abi.ts";
import type { CallContext, Caller, HostCall } from "./calls/caller.ts";
import { hostCalls } from "./calls/index.ts";
import { wasiCalls } from "./calls/wasi.ts";
import { GuestMemory, OutOfBounds } from "./guest-memory.ts";
import { MetricIds } from "./metrics.ts";
import { describeTrap, Forbidden, type Trap, trapOf } from "./trap.ts";
import { type WasmExports, type WasmModule, WebAssembly } from "./web-assembly.ts";
import type { World } from "./world.ts";

export interface VmSettings {
  readonly id: string;
  readonly configuration: Buffer;
  readonly environment: Readonly<Record<string, string>>;
  /** The host calls and callbacks that the module may use. Default: all. */
  readonly capabilities?: ReadonlySet<string>;
  readonly sourceMap?: SourceMap;
}

/** The module imports a function that Envoy does not have, so it cannot be loaded. */
export class MissingImport extends Error {}

/** Envoy crashes on any host call from a start section. */
const allowedInStartSection: ReadonlySet<string> = new Set();
/** The host calls that Envoy allows while a module initialises. WASI calls are allowed too. */
const allowedAtStart: ReadonlySet<string> = new Set(["proxy_log"]);
const allowedInMalloc: ReadonlySet<string> = new Set(["proxy_log", "fd_write", "clock_time_get", "poll_oneoff"]);

/** One instance of a module. */
export class Vm implements Caller {
  readonly world: World;
  readonly settings: VmSettings;
  readonly memory: GuestMemory;
  readonly metrics: MetricIds;
  readonly contexts = new Map<number, CallContext>();
  /** Set when the module trapped. It is not called again. */
  trap: Trap | undefined;
  /** A local response was sent: the stream stops, whatever the callback answers. */
  stopIteration = false;
  readonly #exports: WasmExports;
  readonly #allocator: string;
  #current: CallContext | undefined;
  #effective = 0;
  #allowed: ReadonlySet<string> | undefined;
  #deferred: (() => void)[] = [];
  #lastContext = 0;
  readonly #lastCall: number[] = [0, 1, 2];

  constructor(module: WasmModule, settings: VmSettings, world: World) {
    this.world = world;
    this.settings = settings;
    this.metrics = new MetricIds(world.metrics);
    this.memory = new GuestMemory((size) => this.#restricted(allowedInMalloc, this.#allocator, [size]));
    this.#allowed = allowedInStartSection;
    this.#exports = new WebAssembly.Instance(module, this.#imports(module)).exports;
    this.#allowed = undefined;
    this.#allocator = "malloc" in this.#exports ? "malloc" : "proxy_on_memory_allocate";
    this.memory.attach(this.#exports);
  }

  /** The stream or root that the running host call acts on. */
  get context(): CallContext {
    const context = this.contexts.get(this.#effective) ?? this.#current;
    if (context === undefined) throw new Forbidden("the host was called outside of any callback");
    return context;
  }

  /** Host calls act on that context until the callback ends. False when there is no such context. */
  setEffective(id: number): boolean {
    if (!this.contexts.has(id)) return false;
    this.#effective = id;
    return true;
  }

  nextContextId(): number {
    return ++this.#lastContext;
  }

  /** The lowest two bits are the kind of call. */
  nextCallToken(kind: 0 | 1 | 2): number {
    const token = (this.#lastCall[kind] ?? kind) + 4;
    this.#lastCall[kind] = token;
    return token;
  }

  /** True when the module exports the callback and its capabilities allow it. */
  has(callback: string): boolean {
    return typeof this.#exports[callback] === "function" && this.#allows(callback);
  }

  /** Runs the module's initialisation. */
  start(vmContext: CallContext): void {
    this.#current = vmContext;
    const initialize = "_initialize" in this.#exports;
    for (const step of initialize ? ["_initialize", "main", "__main_void"] : ["_start"]) {
      if (!(step in this.#exports) || this.trap !== undefined) continue;
      this.#restricted(allowedAtStart, step, step === "main" ? [0, 0] : []);
      if (step === "main") break;
    }
    this.#current = undefined;
  }

  /**
   * Calls the module. First its answer is converted, then everything that it asked for happens, then this returns. The
   * answer is 0 when the callback has none, does not exist, or trapped.
   */
  callback<T>(
    context: CallContext,
    name: string,
    values: readonly number[],
    convert: (answer: number, stopped: boolean) => T,
  ): T {
    const saved = [this.#current, this.#effective] as const;
    this.#current = context;
    this.#effective = 0;
    const answer = this.#call(name, values);
    [this.#current, this.#effective] = saved;
    const converted = convert(answer, this.stopIteration);
    this.stopIteration = false;
    for (let task = this.#deferred.shift(); task !== undefined; task = this.#deferred.shift()) task();
    return converted;
  }

  /** Runs the task when the callback has returned. */
  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  #call(name: string, values: readonly number[]): number {
    const callee = this.#exports[name];
    if (typeof callee !== "function") return 0;
    this.world.onCallback?.(name);
    try {
      return Number(callee(...values)) >>> 0;
    } catch (error) {
      const trap = trapOf(name, error, this.settings.sourceMap);
      if (trap === undefined) throw error;
      this.trap = trap;
      this.world.log.write("error", describeTrap(trap));
      return 0;
    }
  }

  #restricted(allowed: ReadonlySet<string>, name: string, values: readonly number[]): number {
    const before = this.#allowed;
    this.#allowed = allowed;
    const answer = this.#call(name, values);
    this.#allowed = before;
    return answer;
  }

  #allows(capability: string): boolean {
    return this.settings.capabilities?.has(capability) ?? true;
  }

  #imports(module: WasmModule): Record<string, Record<string, HostCall>> {
    const wasi = wasiCalls(this);
    const known: Readonly<Record<string, Readonly<Record<string, HostCall>>>> = {
      env: hostCalls(this),
      wasi_snapshot_preview1: wasi,
      wasi_unstable: wasi,
    };
    const imports: Record<string, Record<string, HostCall>> = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      const call = known[from]?.[name];
      if (kind !== "function" || call === undefined) throw new MissingImport(`${from}.${name}`);
      const calls = imports[from] ?? {};
      imports[from] = calls;
      calls[name] = this.#guarded(name, call, from === "env");
    }
    return imports;
  }

  #guarded(name: string, call: HostCall, proxyCall: boolean): HostCall {
    if (!this.#allows(name)) {
      return () => {
        this.world.faults.push(`${name} was called without the capability`);
        return status.internalFailure;
      };
    }
    return (...values) => {
      if (this.#allowed?.has(name) === false && (proxyCall || this.#allowed !== allowedAtStart)) {
        const only = this.#allowed.size === 0 ? "no call at all" : `only ${[...this.#allowed].join(", ")}`;
        throw new Forbidden(`${name} was called where Envoy allows ${only}`);
      }
      try {
        return call(...values);
      } catch (error) {
        if (error instanceof OutOfBounds) return proxyCall ? status.invalidMemoryAccess : wasiFault;
        throw error;
      }
    };
  }
}

/** https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno */
const wasiFault = 21;
