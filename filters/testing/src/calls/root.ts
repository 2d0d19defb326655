import { logLevels, status } from "../abi.ts";
import type { Caller, HostCall } from "./caller.ts";

/** Host calls for logs, time and the life of a root. */
export function rootCalls(vm: Caller): Record<string, HostCall> {
  const { memory, world } = vm;
  return {
    proxy_log: (level = 0, text = 0, size = 0) => {
      const name = logLevels[level >>> 0];
      if (name === undefined) return status.badArgument;
      world.log.write(name, memory.read(text, size).toString("utf8"));
      return status.ok;
    },
    proxy_get_log_level: (out = 0) => {
      memory.setWord(out, logLevels.indexOf(world.log.level));
      return status.ok;
    },
    proxy_get_current_time_nanoseconds: (out = 0) => {
      memory.setLong(out, world.clock.nanoseconds);
      return status.ok;
    },
    proxy_set_tick_period_milliseconds: (periodMs = 0) => {
      vm.context.root.tickEvery(periodMs >>> 0);
      return status.ok;
    },
    proxy_set_effective_context: (id = 0) => (vm.setEffective(id >>> 0) ? status.ok : status.badArgument),
    proxy_done: () => {
      const { root } = vm.context;
      if (!root.pendingDone) return status.notFound;
      root.pendingDone = false;
      vm.defer(() => root.delete());
      return status.ok;
    },
    proxy_get_status: (outCode = 0, outText = 0, outSize = 0) => {
      const { code, message } = vm.context.root.lastStatus;
      memory.setWord(outCode, code);
      memory.hand(Buffer.from(message), outText, outSize);
      return status.ok;
    },
    emscripten_notify_memory_growth: () => 0,
    pthread_equal: (left = 0, right = 0) => Number(left === right),
  };
}
