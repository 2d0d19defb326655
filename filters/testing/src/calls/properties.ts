import { status } from "../abi.ts";
import { findProperty } from "../properties.ts";
import type { Caller, HostCall } from "./caller.ts";

/** Host calls for properties of the stream and the proxy, and for values that filters keep with a stream. */
export function propertyCalls(vm: Caller): Record<string, HostCall> {
  const { memory } = vm;
  return {
    proxy_get_property: (path = 0, size = 0, outValue = 0, outSize = 0) => {
      // A separator at the end does not begin another part.
      const text = memory.text(path, size);
      if (text === "") return status.serializationFailure;
      const parts = text.replace(/\0$/, "").split("\0");
      const { filterState, properties } = vm.context;
      const [first = "", ...rest] = parts;
      const kept = Object.hasOwn(properties, first) ? undefined : filterState?.get(first);
      const found = kept === undefined ? findProperty(properties, parts) : rest.length > 0 ? status.notFound : kept;
      if (typeof found === "number") return found;
      memory.hand(found, outValue, outSize);
      return status.ok;
    },
    proxy_set_property: (path = 0, pathSize = 0, value = 0, valueSize = 0) => {
      const name = memory.text(path, pathSize);
      const bytes = memory.read(value, valueSize);
      const { filterState } = vm.context;
      if (filterState === undefined) return status.notFound;
      filterState.set(name, bytes);
      return status.ok;
    },
  };
}
