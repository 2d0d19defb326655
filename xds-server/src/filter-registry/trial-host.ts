import { TrialMemory } from "./trial-memory.ts";
import { WasiCalls } from "./trial-wasi.ts";
import { type WasmModule, WebAssembly } from "./web-assembly.ts";

const status = { ok: 0, notFound: 1, badArgument: 2, invalidMemoryAccess: 6, empty: 7 };
const buffer = { vmConfiguration: 6, pluginConfiguration: 7 };
const infoLevel = 2;
const warnLevel = 3;
const mostLogLines = 10;
const longestLogLine = 500;

/** One function that a module imports. Numbers of 64 bits are bigints. */
export type HostCall = (...values: number[]) => number;

/** The host of a module that is started, configured and thrown away: its calls read and log, and change nothing. */
export class TrialHost {
  readonly memory = new TrialMemory();
  /** Before this, Envoy lets a module do no more than log and ask WASI. */
  started = false;
  readonly #configuration: Uint8Array;
  readonly #wasi = new WasiCalls(this.memory, (text) => this.#keep(text));
  readonly #log: string[] = [];
  #metrics = 0;

  constructor(configuration: Uint8Array) {
    this.#configuration = configuration;
  }

  /** A function for each import of the module. */
  imports(module: WasmModule): Record<string, Record<string, HostCall>> {
    const imports: Record<string, Record<string, HostCall>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const calls = imports[from] ?? {};
      imports[from] = calls;
      calls[name] = from === "env" ? this.#hostCall(name) : this.#wasi.call(name);
    }
    return imports;
  }

  /** What the module said of warnings and errors, after a few words; empty when it said nothing. */
  logged(after: string): string {
    return this.#log.length === 0 ? "" : after + this.#log.join("; ");
  }

  #hostCall(name: string): HostCall {
    const call = this.#calls[name] ?? (() => status.ok);
    return (...values) => {
      if (!this.started && name !== "proxy_log") {
        throw new Error(`${name} was called before the module was started, where Envoy allows only logging`);
      }
      try {
        return call(...values);
      } catch (error) {
        if (error instanceof RangeError) return status.invalidMemoryAccess;
        throw error;
      }
    };
  }

  /** Calls that are not listed answer Ok. */
  readonly #calls: Readonly<Record<string, HostCall>> = {
    proxy_log: (level = 0, text = 0, size = 0) => {
      if (level >= warnLevel) this.#keep(this.memory.text(text, size));
      return status.ok;
    },
    proxy_get_log_level: (out = 0) => this.#answer(() => this.memory.setWord(out, infoLevel)),
    proxy_get_current_time_nanoseconds: (out = 0) =>
      this.#answer(() => this.memory.setLong(out, BigInt(Date.now()) * 1_000_000n)),
    proxy_get_property: (path = 0, size = 0, outBytes = 0, outSize = 0) => {
      if (!/^plugin_(name|root_id|vm_id)$/.test(this.memory.text(path, size))) return status.notFound;
      return this.#answer(() => this.memory.hand(new Uint8Array(), outBytes, outSize));
    },
    proxy_get_buffer_bytes: (type = 0, start = 0, length = 0, outBytes = 0, outSize = 0) => {
      const bytes = this.#buffer(type)?.subarray(start, start + length);
      return bytes === undefined ? status.badArgument : this.#answer(() => this.memory.hand(bytes, outBytes, outSize));
    },
    proxy_get_buffer_status: (type = 0, outLength = 0, outFlags = 0) => {
      const bytes = this.#buffer(type);
      if (bytes === undefined) return status.badArgument;
      this.memory.setWord(outLength, bytes.length);
      return this.#answer(() => this.memory.setWord(outFlags, 0));
    },
    proxy_define_metric: (_type, _name, _size, outId = 0) =>
      this.#answer(() => this.memory.setWord(outId, ++this.#metrics)),
    proxy_get_metric: (_id, out = 0) => this.#answer(() => this.memory.setLong(out, 0n)),
    proxy_register_shared_queue: (_name, _size, outToken = 0) => this.#answer(() => this.memory.setWord(outToken, 1)),
    proxy_http_call: (...values) => this.#answer(() => this.memory.setWord(values.at(-1) ?? 0, 1)),
    proxy_grpc_call: (...values) => this.#answer(() => this.memory.setWord(values.at(-1) ?? 0, 1)),
    proxy_grpc_stream: (...values) => this.#answer(() => this.memory.setWord(values.at(-1) ?? 0, 1)),
    proxy_call_foreign_function: (_name, _nameSize, _argument, _argumentSize, outBytes = 0, outSize = 0) =>
      this.#answer(() => this.memory.hand(new Uint8Array(), outBytes, outSize)),
    proxy_get_status: () => status.notFound,
    proxy_get_shared_data: () => status.notFound,
    proxy_resolve_shared_queue: () => status.notFound,
    proxy_dequeue_shared_queue: () => status.empty,
    proxy_get_header_map_pairs: () => status.badArgument,
    proxy_get_header_map_value: () => status.badArgument,
    proxy_get_header_map_size: () => status.badArgument,
  };

  #answer(write: () => void): number {
    write();
    return status.ok;
  }

  #buffer(type: number): Uint8Array | undefined {
    if (type === buffer.pluginConfiguration) return this.#configuration;
    return type === buffer.vmConfiguration ? new Uint8Array() : undefined;
  }

  #keep(line: string): void {
    if (this.#log.length < mostLogLines) this.#log.push(line.trim().slice(0, longestLogLine));
  }
}
