import {
  proxy_add_header_map_value,
  proxy_get_header_map_pairs,
  proxy_get_header_map_size,
  proxy_get_header_map_value,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_set_header_map_pairs,
} from "./env";
import { encodedPairsSize, encodePairs, HeaderPair, Headers } from "./header-pairs";
import { copied, currentCallback, OUT } from "./memory";
import { sha256At } from "./sha256";
import { bytesEqual, bytesStartWith, decode, encode, encodedSize } from "./text";
import { HeaderMapTypeValues, WasmResultValues } from "./values";

/**
 * One map of headers or trailers of the current stream. The first access fetches all pairs by one host call. They stay
 * as bytes until the callback ends or the map is written to; only values that are read as a string are decoded. Names
 * must be in lower case, as Envoy keeps them.
 */
@final
export class HeaderStreamManipulator {
  private map: HeaderMapTypeValues;
  /** The number of the callback that fetched the pairs. */
  private fetchedIn: u64 = 0;
  private pairs: usize = 0;
  private count: i32 = 0;
  /** The value that `find` found last. */
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

  /** True when one of the header's values is this text. Decodes nothing. */
  equals(name: string, text: string): bool {
    for (let at = this.find(name, 0); at >= 0; at = this.find(name, at + 1)) {
      if (bytesEqual(this.value, this.valueSize, text)) return true;
    }
    return false;
  }

  /** True when one of the header's values starts with this text. Decodes nothing. */
  startsWith(name: string, text: string): bool {
    for (let at = this.find(name, 0); at >= 0; at = this.find(name, at + 1)) {
      if (bytesStartWith(this.value, this.valueSize, text)) return true;
    }
    return false;
  }

  /**
   * Writes the SHA-256 of the first value to 32 bytes of memory. False when the header is missing or empty. Decodes
   * nothing, so a secret leaves no string in memory.
   */
  sha256(name: string, digest: usize): bool {
    if (this.find(name, 0) < 0 || this.valueSize === 0) return false;
    sha256At(this.value, this.valueSize, digest);
    return true;
  }

  /** All values of a header, as bytes. */
  values(name: string): ArrayBuffer[] {
    const values: ArrayBuffer[] = [];
    for (let at = this.find(name, 0); at >= 0; at = this.find(name, at + 1)) {
      values.push(copied(this.value, this.valueSize));
    }
    return values;
  }

  add(name: string, value: string): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    const keySize = encodedSize;
    const text = encode(value);
    return proxy_add_header_map_value(this.map, key, keySize, text, encodedSize);
  }

  /** Like `add`, with a value that need not be UTF-8. */
  addBytes(name: string, value: ArrayBuffer): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    return proxy_add_header_map_value(this.map, key, encodedSize, changetype<usize>(value), value.byteLength);
  }

  /** Sets the header to this one value, whether or not the header existed. */
  replace(name: string, value: string): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    const keySize = encodedSize;
    const text = encode(value);
    return proxy_replace_header_map_value(this.map, key, keySize, text, encodedSize);
  }

  /** Like `replace`, with a value that need not be UTF-8. */
  replaceBytes(name: string, value: ArrayBuffer): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    return proxy_replace_header_map_value(this.map, key, encodedSize, changetype<usize>(value), value.byteLength);
  }

  /** Removes all values of a header. Succeeds also when there are none. */
  remove(name: string): WasmResultValues {
    this.fetchedIn = 0;
    const key = encode(name);
    return proxy_remove_header_map_value(this.map, key, encodedSize);
  }

  /** Iterates over all headers: `for (const each = headers.each(); each.next(); ) if (each.value === "x") ...` */
  each(): HeaderCursor {
    this.fetch();
    return new HeaderCursor(this.pairs, this.count);
  }

  /** All headers as bytes, copied. `each` makes no copies. */
  get_headers(): Headers {
    const cursor = this.each();
    const headers = new Array<HeaderPair>(this.count);
    for (let i = 0; cursor.next(); i++) unchecked((headers[i] = cursor.pair()));
    return headers;
  }

  set_headers(headers: Headers): WasmResultValues {
    this.fetchedIn = 0;
    return proxy_set_header_map_pairs(this.map, encodePairs(headers), encodedPairsSize);
  }

  /** The size of the map in bytes. 0 where the map cannot be written to, because Envoy does not report it there. */
  byteSize(): u32 {
    return proxy_get_header_map_size(this.map, OUT) === WasmResultValues.Ok ? load<u32>(OUT) : 0;
  }

  /** The position of the first header of this name at or after `start`, or -1. Sets `value` and `valueSize`. */
  private find(name: string, start: i32): i32 {
    // Envoy finds a pseudo header without a look-up, so reading a single one by name is cheaper.
    if (isPseudo(name) && this.fetchedIn !== currentCallback()) return this.findPseudo(name, start);
    this.fetch();
    const length = <usize>name.length;
    let sizes = this.pairs + 4;
    let text = sizes + ((<usize>this.count) << 3);
    for (let i = 0; i < this.count; i++, sizes += 8) {
      const nameSize: usize = load<u32>(sizes);
      const valueSize: usize = load<u32>(sizes, 4);
      if (nameSize === length && i >= start && bytesStartWith(text, nameSize, name)) {
        this.value = text + nameSize + 1;
        this.valueSize = valueSize;
        return i;
      }
      text += nameSize + valueSize + 2;
    }
    return -1;
  }

  /** A pseudo header has at most one value. */
  private findPseudo(name: string, start: i32): i32 {
    if (start > 0) return -1;
    const key = encode(name);
    if (proxy_get_header_map_value(this.map, key, encodedSize, OUT, OUT + 4) !== WasmResultValues.Ok) return -1;
    this.value = load<usize>(OUT);
    this.valueSize = load<usize>(OUT, 4);
    return 0;
  }

  /** Fetches the pairs. A map that is missing or cannot be read in this callback counts as empty. */
  private fetch(): void {
    if (this.fetchedIn === currentCallback()) return;
    this.fetchedIn = currentCallback();
    const ok = proxy_get_header_map_pairs(this.map, OUT, OUT + 4) === WasmResultValues.Ok && load<usize>(OUT, 4) >= 4;
    this.pairs = load<usize>(OUT);
    this.count = ok ? load<i32>(this.pairs) : 0;
  }
}

/** Iterates over a copy of a map's headers. Valid until the callback that created it ends. */
@final
export class HeaderCursor {
  private left: i32;
  private sizes: usize;
  private following: usize;
  private text: usize = 0;
  private nameSize: usize = 0;
  private valueSize: usize = 0;

  constructor(pairs: usize, count: i32) {
    this.left = count;
    this.sizes = pairs + 4;
    this.following = this.sizes + ((<usize>count) << 3);
  }

  /** Moves to the next header; the first call moves to the first one. False when there is none. */
  next(): bool {
    if (this.left === 0) return false;
    this.left--;
    this.nameSize = load<u32>(this.sizes);
    this.valueSize = load<u32>(this.sizes, 4);
    this.sizes += 8;
    this.text = this.following;
    this.following += this.nameSize + this.valueSize + 2;
    return true;
  }

  get name(): string {
    return decode(this.text, this.nameSize);
  }

  get value(): string {
    return decode(this.text + this.nameSize + 1, this.valueSize);
  }

  /** The size of name and value in bytes. */
  get size(): u32 {
    return this.nameSize + this.valueSize;
  }

  /** True when the header has this name. Decodes nothing. */
  nameEquals(name: string): bool {
    return bytesEqual(this.text, this.nameSize, name);
  }

  /** True when the header's name starts with this text. Decodes nothing. */
  nameStartsWith(text: string): bool {
    return bytesStartWith(this.text, this.nameSize, text);
  }

  /** True when the header has this value. Decodes nothing. */
  valueEquals(text: string): bool {
    return bytesEqual(this.text + this.nameSize + 1, this.valueSize, text);
  }

  pair(): HeaderPair {
    return new HeaderPair(copied(this.text, this.nameSize), copied(this.text + this.nameSize + 1, this.valueSize));
  }
}

function isPseudo(name: string): bool {
  return name.length > 0 && load<u16>(changetype<usize>(name)) === 58 /* : */;
}
