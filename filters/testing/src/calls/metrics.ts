import { metricType, status } from "../abi.ts";
import type { Caller, HostCall } from "./caller.ts";

/** Host calls for counters, gauges and histograms. */
export function metricCalls(vm: Caller): Record<string, HostCall> {
  const { memory, metrics } = vm;
  return {
    proxy_define_metric: (type = 0, name = 0, size = 0, outId = 0) => {
      const text = memory.read(name, size).toString("utf8");
      if (type >>> 0 > metricType.histogram) return status.badArgument;
      memory.setWord(outId, metrics.define(type, text));
      return status.ok;
    },
    proxy_increment_metric: (id = 0, offset = 0) => metrics.increment(id >>> 0, BigInt(offset)),
    proxy_record_metric: (id = 0, value = 0) => metrics.record(id >>> 0, BigInt.asUintN(64, BigInt(value))),
    proxy_get_metric: (id = 0, out = 0) => {
      const value = metrics.read(id >>> 0);
      if (typeof value === "number") return value;
      memory.setLong(out, value);
      return status.ok;
    },
  };
}
