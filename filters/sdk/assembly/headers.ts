import {
  proxy_add_header_map_value,
  proxy_get_header_map_pairs,
  proxy_get_header_map_value,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_set_header_map_pairs,
} from "./env";
import { allocate, currentCallback, OUT } from "./memory";
import { bytesEqual, bytesStartWith, decode, encode, encodedSize } from "./text";
import { HeaderMapTypeValues, WasmResultValues } from "./values";

/** One header, as bytes. */
export class HeaderPair {
  key: ArrayBuffer;
  value: ArrayBuffer;

  constructor(key: ArrayBuffer, value: ArrayBuffer) {
    this.key = key;
    this.value = value;
  }

  static of(key: string, value: string): HeaderPair {
    return new HeaderPair(String.UTF8.encode(key), String.UTF8.encode(value));
  }

  toString(): string {
    return `${String.UTF8.decode(this.key)}:${String.UTF8.decode(this.value)}`;
  }
}

export type Headers = Array<HeaderPair>;

/** The ABI's form of a list of headers: the count, the sizes, then each name and value with a closing zero byte. */
export function encodePairs(headers: Headers): usize {
  const count = headers.length;
  let size: usize = 4 + ((<usize>count) << 3);
  for (let i = 0; i < count; i++) size += headers[i].key.byteLength + headers[i].value.byteLength + 2;
  const block = allocate(size);
  store<u32>(block, count);
  let sizes = block + 4;
  let text = sizes + ((<usize>count) << 3);
  for (let i = 0; i < count; i++, sizes += 8) {
    const pair = headers[i];
    store<u32>(sizes, pair.key.byteLength);
    store<u32>(sizes, pair.value.byteLength, 4);
    text = appendWithZero(text, pair.key);
    text = appendWithZero(text, pair.value);
  }
  encodedPairsSize = size;
  return block;
}

/** The size of what `encodePairs` wrote last. */
export let encodedPairsSize: usize = 0;

function appendWithZero(to: usize, bytes: ArrayBuffer): usize {
  const size = bytes.byteLength;
  memory.copy(to, changetype<usize>(bytes), size);
  store<u8>(to + size, 0);
  return to + size + 1;
}

/**
 * One map of headers or trailers of the current stream. All pairs are fetched by one host call, when the first is asked
 * for, and kept as bytes until the callback ends or the map is written to: only what is read as a string is decoded.
 * Names must be in lower case, as Envoy keeps them.
 */
export class HeaderStreamManipulator {
  private map: HeaderMapTypeValues;
  /** The callback that the pairs were fetched in. */
  private fetchedIn: u64 = 0;
  private pairs: usize = 0;
  private count: i32 = 0;
  /** The value that the last `find` found. */
  private value: usize = 0;
  private valueSize: usize = 0;

  constructor(map: HeaderMapTypeValues) {
    this.map = map;
  }

  /** The first value of a header; empty when there is none (see `has`). */
  get(name: string): string {
    return this.find(name, 0) < 0 ? "" : decode(this.value, this.valueSize);
  }

  has(name: string): bool {
    return this.find(name, 0) >= 0;
  }

  /** Whether one of the header's values is this text. Decodes nothing. */
  equals(name: string, text: string): bool {
    for (let at = this.find(name, 0); at >= 0; at = this.find(name, at + 1)) {
      if (bytesEqual(this.value, this.valueSize, text)) return true;
    }
    return false;
  }

  /** Whether one of the header's values starts with this text. Decodes nothing. */
  startsWith(name: string, text: string): bool {
    for (let at = this.find(name, 0); at >= 0; at = this.find(name, at + 1)) {
      if (bytesStartWith(this.value, this.valueSize, text)) return true;
    }
    return false;
  }

  add(name: string, value: string): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    const keySize = encodedSize;
    const text = encode(value);
    return proxy_add_header_map_value(this.map, key, keySize, text, encodedSize);
  }

  /** Sets the header's only value, whether or not the header was there. */
  replace(name: string, value: string): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    const keySize = encodedSize;
    const text = encode(value);
    return proxy_replace_header_map_value(this.map, key, keySize, text, encodedSize);
  }

  /** Removes all values of a header. Removing what is not there is no failure. */
  remove(name: string): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    return proxy_remove_header_map_value(this.map, key, encodedSize);
  }

  get_headers(): Headers {
    this.fetch();
    const headers = new Array<HeaderPair>(this.count);
    let sizes = this.pairs + 4;
    let text = sizes + ((<usize>this.count) << 3);
    for (let i = 0; i < this.count; i++, sizes += 8) {
      const nameSize = load<u32>(sizes);
      const valueSize = load<u32>(sizes, 4);
      headers[i] = new HeaderPair(copied(text, nameSize), copied(text + nameSize + 1, valueSize));
      text += nameSize + valueSize + 2;
    }
    return headers;
  }

  set_headers(headers: Headers): WasmResultValues {
    this.fetchedIn = 0;
    return proxy_set_header_map_pairs(this.map, encodePairs(headers), encodedPairsSize);
  }

  /** The position of the first header of this name at or after `start`, or -1. Sets `value` and `valueSize`. */
  private find(name: string, start: i32): i32 {
    // Envoy finds a pseudo header without a look-up, so one alone is cheaper asked for by name.
    if (name.charCodeAt(0) === 58 /* : */ && this.fetchedIn !== currentCallback()) return this.findPseudo(name, start);
    this.fetch();
    let sizes = this.pairs + 4;
    let text = sizes + ((<usize>this.count) << 3);
    for (let i = 0; i < this.count; i++, sizes += 8) {
      const nameSize: usize = load<u32>(sizes);
      const valueSize: usize = load<u32>(sizes, 4);
      if (i >= start && nameSize === <usize>name.length && bytesStartWith(text, nameSize, name)) {
        this.value = text + nameSize + 1;
        this.valueSize = valueSize;
        return i;
      }
      text += nameSize + valueSize + 2;
    }
    return -1;
  }

  /** A pseudo header has one value at most. */
  private findPseudo(name: string, start: i32): i32 {
    if (start > 0) return -1;
    const key = encode(name);
    if (proxy_get_header_map_value(this.map, key, encodedSize, OUT, OUT + 4) !== WasmResultValues.Ok) return -1;
    this.value = load<usize>(OUT);
    this.valueSize = load<usize>(OUT, 4);
    return 0;
  }

  /** A map that is absent or cannot be read in this callback is an empty one. */
  private fetch(): void {
    if (this.fetchedIn === currentCallback()) return;
    this.fetchedIn = currentCallback();
    const ok = proxy_get_header_map_pairs(this.map, OUT, OUT + 4) === WasmResultValues.Ok && load<usize>(OUT, 4) >= 4;
    this.pairs = load<usize>(OUT);
    this.count = ok ? load<i32>(this.pairs) : 0;
  }
}

function copied(from: usize, size: usize): ArrayBuffer {
  const bytes = new ArrayBuffer(<i32>size);
  memory.copy(changetype<usize>(bytes), from, size);
  return bytes;
}

class HeaderMapManipulator {
  request: HeaderStreamManipulator;
  response: HeaderStreamManipulator;

  constructor(request: HeaderStreamManipulator, response: HeaderStreamManipulator) {
    this.request = request;
    this.response = response;
  }
}

class StreamContext {
  headers: HeaderMapManipulator;
  trailers: HeaderMapManipulator;

  constructor(headers: HeaderMapManipulator, trailers: HeaderMapManipulator) {
    this.headers = headers;
    this.trailers = trailers;
  }
}

/** The headers and trailers of the stream that the running callback is about. */
export const stream_context = new StreamContext(
  new HeaderMapManipulator(
    new HeaderStreamManipulator(HeaderMapTypeValues.RequestHeaders),
    new HeaderStreamManipulator(HeaderMapTypeValues.ResponseHeaders),
  ),
  new HeaderMapManipulator(
    new HeaderStreamManipulator(HeaderMapTypeValues.RequestTrailers),
    new HeaderStreamManipulator(HeaderMapTypeValues.ResponseTrailers),
  ),
);
