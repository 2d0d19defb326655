import { randomFillSync } from "node:crypto";
import type { Caller, HostCall } from "./caller.ts";

/** https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno */
const errno = { success: 0, badDescriptor: 8, invalid: 28, noSystem: 52, notSupported: 58 };
const mostRandomBytes = 65_536;
const stdout = 1;
const stderr = 2;

/**
 * The part of WASI that Envoy has: logs, clocks, random bytes and the environment. Every other call is an error number.
 */
export function wasiCalls(vm: Caller): Readonly<Record<string, HostCall>> {
  const environment = Object.entries(vm.settings.environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  const words = (...values: readonly (readonly [at: number, value: number])[]): number => {
    for (const [at, value] of values) vm.memory.setWord(at, value);
    return errno.success;
  };
  const calls: Record<string, HostCall> = {
    args_get: () => errno.success,
    args_sizes_get: (outCount = 0, outSize = 0) => words([outCount, 0], [outSize, 0]),
    environ_sizes_get: (outCount = 0, outSize = 0) =>
      words([outCount, environment.length], [outSize, environment.reduce((sum, { length }) => sum + length, 0)]),
    environ_get: (outPlaces = 0, outText = 0) => {
      let at = outText;
      for (const [index, entry] of environment.entries()) {
        vm.memory.setWord(outPlaces + index * 4, at);
        vm.memory.write(at, entry);
        at += entry.length;
      }
      return errno.success;
    },
    clock_time_get: (clock = 0, _precision = 0, out = 0) => {
      const { nanoseconds, elapsedNanoseconds } = vm.world.clock;
      if (clock !== 0 && clock !== 1) return errno.notSupported;
      vm.memory.setLong(out, clock === 0 ? nanoseconds : elapsedNanoseconds);
      return errno.success;
    },
    clock_res_get: (clock = 0, out = 0) => {
      if (clock !== 0 && clock !== 1) return errno.notSupported;
      vm.memory.setLong(out, 1n);
      return errno.success;
    },
    random_get: (at = 0, size = 0) => {
      if (size >>> 0 > mostRandomBytes) return errno.invalid;
      vm.memory.write(at, randomFillSync(Buffer.alloc(size)));
      return errno.success;
    },
    fd_write: (descriptor = 0, parts = 0, count = 0, outWritten = 0) => {
      if (descriptor !== stdout && descriptor !== stderr) return errno.badDescriptor;
      const written: Buffer[] = [];
      for (let part = 0; part < count; part++) {
        const at = parts + part * 8;
        written.push(vm.memory.read(vm.memory.word(at), vm.memory.word(at + 4)));
      }
      const text = Buffer.concat(written);
      if (text.length > 0)
        vm.world.log.write(descriptor === stdout ? "info" : "error", text.toString().replace(/\n$/, ""));
      return words([outWritten, text.length]);
    },
    fd_fdstat_get: (descriptor = 0, out = 0) => {
      if (descriptor !== stdout && descriptor !== stderr) return errno.badDescriptor;
      vm.memory.write(out, Buffer.alloc(24));
      // A character device that can be written to.
      return words([out, 2], [out + 8, 64]);
    },
    poll_oneoff: (_subscriptions = 0, _events = 0, _count = 0, outCount = 0) => words([outCount, 0]),
    sched_yield: () => errno.success,
    // Envoy ignores it.
    proc_exit: () => errno.success,
    fd_read: () => errno.noSystem,
    fd_pread: () => errno.noSystem,
  };
  const others = [
    ...["advise", "allocate", "close", "datasync", "fdstat_set_flags", "fdstat_set_rights", "filestat_get"],
    ...["filestat_set_size", "filestat_set_times", "prestat_dir_name", "prestat_get", "pwrite", "readdir", "renumber"],
    ...["seek", "sync", "tell"],
  ].map((name) => `fd_${name}`);
  const places = ["create_directory", "filestat_get", "filestat_set_times", "link", "open", "readlink"];
  const changes = ["remove_directory", "rename", "symlink", "unlink_file"];
  for (const name of others) calls[name] = () => errno.badDescriptor;
  for (const name of [...places, ...changes]) calls[`path_${name}`] = () => errno.notSupported;
  for (const name of ["accept", "recv", "send", "shutdown"]) calls[`sock_${name}`] = () => errno.notSupported;
  return calls;
}
