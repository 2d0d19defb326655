import { randomFillSync } from "node:crypto";
import type { HostCall } from "./trial-host.ts";
import type { TrialMemory } from "./trial-memory.ts";

/** https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno */
const errno = { success: 0, badDescriptor: 8, fault: 21, notSupported: 52 };
const characterDevice = 2;
/** More would let a module on trial fill this process's memory. */
const mostRandomBytes = 65_536;

/** What Envoy gives of WASI: logs, clocks, random bytes, and an error number for everything else. */
export class WasiCalls {
  readonly #memory: TrialMemory;
  readonly #keep: (line: string) => void;

  constructor(memory: TrialMemory, keep: (line: string) => void) {
    this.#memory = memory;
    this.#keep = keep;
  }

  call(name: string): HostCall {
    const call = this.#calls[name] ?? (() => (name.startsWith("fd_") ? errno.badDescriptor : errno.notSupported));
    return (...values) => {
      try {
        return call(...values);
      } catch (error) {
        if (error instanceof RangeError) return errno.fault;
        throw error;
      }
    };
  }

  readonly #calls: Readonly<Record<string, HostCall>> = {
    args_get: () => errno.success,
    args_sizes_get: (outCount = 0, outSize = 0) => this.#words([outCount, 0], [outSize, 0]),
    environ_get: () => errno.success,
    environ_sizes_get: (outCount = 0, outSize = 0) => this.#words([outCount, 0], [outSize, 0]),
    sched_yield: () => errno.success,
    // Envoy notes the exit code and goes on.
    proc_exit: () => errno.success,
    clock_time_get: (_clock, _precision, out = 0) => {
      this.#memory.setLong(out, process.hrtime.bigint());
      return errno.success;
    },
    random_get: (at = 0, size = 0) => {
      if (size >>> 0 > mostRandomBytes) return errno.notSupported;
      randomFillSync(this.#memory.bytes(at, size));
      return errno.success;
    },
    fd_fdstat_get: (descriptor = 0, out = 0) => {
      if (descriptor !== 1 && descriptor !== 2) return errno.badDescriptor;
      this.#memory.bytes(out, 24).fill(0);
      return this.#words([out, characterDevice]);
    },
    fd_write: (descriptor = 0, parts = 0, count = 0, outWritten = 0) => {
      if (descriptor !== 1 && descriptor !== 2) return errno.badDescriptor;
      let written = 0;
      for (let part = 0; part < count; part++) {
        const size = this.#memory.word(parts + part * 8 + 4);
        const text = this.#memory.text(this.#memory.word(parts + part * 8), size);
        if (descriptor === 2) this.#keep(text);
        written += size;
      }
      return this.#words([outWritten, written]);
    },
  };

  #words(...words: readonly (readonly [at: number, value: number])[]): number {
    for (const [at, value] of words) this.#memory.setWord(at, value);
    return errno.success;
  }
}
