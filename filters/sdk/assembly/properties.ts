import { proxy_get_property, proxy_set_property } from "./env";
import { answered, OUT } from "./memory";
import { decode, encode, encodedSize, encodeFresh } from "./text";
import { WasmResultValues } from "./values";

/**
 * A property of the stream, the connection or the proxy, by its path: "xds.route_name". Empty when there is none. The
 * parts of a path are separated by dots. A path that contains "\0" is separated by "\0" instead, for names with dots.
 */
export function get_property(path: string): ArrayBuffer {
  return readProperty(path) === WasmResultValues.Ok ? answered() : new ArrayBuffer(0);
}

/** Reads a property as text. */
export function get_property_string(path: string): string {
  if (readProperty(path) !== WasmResultValues.Ok) return "";
  return decode(load<usize>(OUT), load<usize>(OUT, 4));
}

/** Reads a whole number, such as "response.code" or "request.duration" (nanoseconds); -1 when there is none. */
export function get_property_integer(path: string): i64 {
  if (readProperty(path) !== WasmResultValues.Ok || load<usize>(OUT, 4) !== 8) return -1;
  return load<i64>(load<usize>(OUT));
}

/** Stores bytes with the stream, for later filters too. `get_property` reads them by the same path. */
export function set_property(path: string, data: ArrayBuffer): WasmResultValues {
  const name = encode(path);
  return proxy_set_property(name, encodedSize, changetype<usize>(data), data.byteLength);
}

function readProperty(path: string): WasmResultValues {
  // Envoy moved some properties from the top level ("route_name", "node") to "xds".
  const result = readPath(path);
  return result === WasmResultValues.NotFound && !path.includes(".") ? readPath(`xds.${path}`) : result;
}

function readPath(path: string): WasmResultValues {
  const name = encodeFresh(path);
  const size = encodedSize;
  if (!path.includes("\0")) {
    for (let i: usize = 0; i < size; i++) if (load<u8>(name + i) === 46 /* . */) store<u8>(name + i, 0);
  }
  return proxy_get_property(name, size, OUT, OUT + 4);
}
