import { deflateSync, inflateSync } from "node:zlib";
import { status } from "../abi.ts";
import type { Caller, HostCall } from "./caller.ts";

type Foreign = (argument: Buffer) => Buffer | number;

/** The foreign functions of Envoy that are useful in a test. */
export function foreignCalls(vm: Caller): Record<string, HostCall> {
  const { memory } = vm;
  const functions: Readonly<Record<string, Foreign>> = {
    compress: (argument) => deflateSync(argument),
    uncompress: (argument) => {
      try {
        return inflateSync(argument);
      } catch {
        return status.serializationFailure;
      }
    },
    clear_route_cache: () => {
      vm.context.clearRouteCache();
      return status.ok;
    },
  };
  return {
    proxy_call_foreign_function: (name = 0, nameSize = 0, argument = 0, size = 0, outResult = 0, outSize = 0) => {
      const called = memory.read(name, nameSize).toString("utf8");
      const bytes = memory.read(argument, size);
      const answer = Object.hasOwn(functions, called) ? functions[called]?.(bytes) : undefined;
      if (answer === undefined) {
        vm.world.faults.push(`the foreign function "${called}" is not known to this host`);
        return status.notFound;
      }
      const result = typeof answer === "number" ? Buffer.alloc(0) : answer;
      const at = result.length > 0 && outResult !== 0 ? memory.copyIn(result) : 0;
      if (outResult !== 0) memory.setWord(outResult, at);
      if (outSize !== 0) memory.setWord(outSize, result.length);
      return typeof answer === "number" ? answer : status.ok;
    },
  };
}
