import { headerMap, status } from "../abi.ts";
import type { ByteString } from "../bytes.ts";
import type { HeaderMap } from "../header-map.ts";
import { decodePairs, encodePairs } from "../pairs.ts";
import type { Caller, HostCall } from "./caller.ts";

const lastMap = headerMap.httpCallTrailers;

/** Host calls that read and change headers and trailers. */
export function headerCalls(vm: Caller): Record<string, HostCall> {
  const { memory } = vm;
  const change = (type: number, how: (map: HeaderMap) => void): number => {
    const map = vm.context.mutableMap(type);
    if (map === undefined) return status.badArgument;
    how(map);
    if (type === headerMap.requestHeaders) vm.context.clearRouteCache();
    return status.ok;
  };
  const named =
    (how: (map: HeaderMap, name: ByteString, value: ByteString) => void): HostCall =>
    (type = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) => {
      if (type >>> 0 > lastMap) return status.badArgument;
      const nameText = memory.text(name, nameSize);
      const valueText = memory.text(value, valueSize);
      return change(type, (map) => how(map, nameText, valueText));
    };
  return {
    proxy_get_header_map_value: (type = 0, name = 0, nameSize = 0, outValue = 0, outSize = 0) => {
      if (type >>> 0 > lastMap) return status.badArgument;
      const nameText = memory.text(name, nameSize);
      const map = vm.context.readableMap(type);
      if (map === undefined) return vm.context.logging ? status.notFound : status.badArgument;
      const value = map.get(nameText);
      if (value === undefined) return status.notFound;
      memory.hand(Buffer.from(value, "latin1"), outValue, outSize);
      return status.ok;
    },
    proxy_get_header_map_pairs: (type = 0, outPairs = 0, outSize = 0) => {
      if (type >>> 0 > lastMap) return status.badArgument;
      const pairs = vm.context.readableMap(type)?.pairs ?? [];
      memory.hand(pairs.length === 0 ? Buffer.alloc(0) : encodePairs(pairs), outPairs, outSize);
      return status.ok;
    },
    proxy_get_header_map_size: (type = 0, outSize = 0) => {
      if (type >>> 0 > lastMap) return status.badArgument;
      const map = vm.context.mutableMap(type);
      if (map === undefined) return status.badArgument;
      memory.setWord(outSize, map.byteSize);
      return status.ok;
    },
    proxy_set_header_map_pairs: (type = 0, pairs = 0, size = 0) => {
      if (type >>> 0 > lastMap) return status.badArgument;
      const bytes = memory.read(pairs, size);
      return change(type, (map) => map.replaceAll(decodePairs(bytes)));
    },
    proxy_add_header_map_value: named((map, name, value) => map.add(name, value)),
    proxy_replace_header_map_value: named((map, name, value) => map.set(name, value)),
    proxy_remove_header_map_value: named((map, name) => map.remove(name)),
  };
}
