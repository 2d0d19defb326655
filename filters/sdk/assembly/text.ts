import { allocate } from "./memory";

/** The size of the last result of `encode`. */
export let encodedSize: usize = 0;

/** A cache of encoded constants: 64 places, each with address, encoding and size. */
const PLACES: usize = 63;
const constants: usize = memory.data(64 * 12, 4);

/** Encodes a string as UTF-8. The result is read-only, and valid until the callback ends. Sets `encodedSize`. */
export function encode(text: string): usize {
  const from = changetype<usize>(text);
  // A constant of the module never moves or changes, so it is encoded once.
  if (from >= __heap_base) return encodeFresh(text);
  const place = constants + ((from >> 4) & PLACES) * 12;
  const known = load<usize>(place);
  if (known === from) {
    encodedSize = load<usize>(place, 8);
    return load<usize>(place, 4);
  }
  const bytes = encodeFresh(text);
  if (known !== 0) return bytes;
  const kept = heap.alloc(encodedSize);
  memory.copy(kept, bytes, encodedSize);
  store<usize>(place, from);
  store<usize>(place, kept, 4);
  store<usize>(place, encodedSize, 8);
  return kept;
}

/**
 * Encodes a string as UTF-8, into memory that the caller may change. Valid until the callback ends. Sets `encodedSize`.
 */
export function encodeFresh(text: string): usize {
  const length = text.length;
  const from = changetype<usize>(text);
  const block = allocate(length + 3);
  let bits: u64 = 0;
  let i: usize = 0;
  for (; i + 4 <= <usize>length; i += 4) {
    let units = load<u64>(from + (i << 1));
    bits |= units;
    units |= units >> 8;
    store<u16>(block + i, <u16>units);
    store<u16>(block + i, <u16>(units >> 32), 2);
  }
  for (; i < <usize>length; i++) {
    const unit: u64 = load<u16>(from + (i << 1));
    bits |= unit;
    store<u8>(block + i, <u8>unit);
  }
  if ((bits & 0xff80ff80ff80ff80) === 0) {
    encodedSize = length;
    return block;
  }
  encodedSize = String.UTF8.byteLength(text);
  const wider = allocate(encodedSize);
  String.UTF8.encodeUnsafe(from, length, wider);
  return wider;
}

/** A cache of recently decoded strings, by the hash of their bytes. Names and values of headers repeat often. */
const recent = new StaticArray<string | null>(256);
/** Longer strings repeat seldom, and would need much memory. */
const LONGEST_RECENT: usize = 48;

/** Decodes UTF-8 bytes. */
export function decode(bytes: usize, size: usize): string {
  if (size === 0) return "";
  if (size > LONGEST_RECENT) return decodeFresh(bytes, size);
  const place = hashed(bytes, size);
  const kept = unchecked(recent[place]);
  if (kept !== null && <usize>kept.length === size && widenTo(bytes, size, changetype<usize>(kept))) return kept;
  const text = decodeFresh(bytes, size);
  // A string with other characters than ASCII has fewer units than bytes, and is not cached.
  if (<usize>text.length === size) unchecked((recent[place] = text));
  return text;
}

function decodeFresh(bytes: usize, size: usize): string {
  if (!isAscii(bytes, size)) return String.UTF8.decodeUnsafe(bytes, size);
  const text = __new(size << 1, idof<string>());
  let i: usize = 0;
  for (; i + 4 <= size; i += 4) store<u64>(text + (i << 1), widened(load<u32>(bytes + i)));
  for (; i < size; i++) store<u16>(text + (i << 1), load<u8>(bytes + i));
  return changetype<string>(text);
}

/** Widens four bytes to four units of UTF-16. */
function widened(bytes: u32): u64 {
  let units: u64 = bytes;
  units = (units | (units << 16)) & 0x0000ffff0000ffff;
  return (units | (units << 8)) & 0x00ff00ff00ff00ff;
}

/** True when the bytes are equal to these units of ASCII. */
function widenTo(bytes: usize, size: usize, units: usize): bool {
  let i: usize = 0;
  for (; i + 4 <= size; i += 4) if (widened(load<u32>(bytes + i)) !== load<u64>(units + (i << 1))) return false;
  for (; i < size; i++) if (<u32>load<u8>(bytes + i) !== <u32>load<u16>(units + (i << 1))) return false;
  return true;
}

function hashed(bytes: usize, size: usize): i32 {
  let hash: u64 = size;
  let i: usize = 0;
  for (; i + 8 <= size; i += 8) hash = (hash ^ load<u64>(bytes + i)) * 0x9e3779b97f4a7c15;
  for (; i < size; i++) hash = (hash ^ load<u8>(bytes + i)) * 0x9e3779b97f4a7c15;
  return <i32>(hash >> 56);
}

/** True when the bytes are the UTF-8 of a string. Decodes nothing. */
export function bytesEqual(bytes: usize, size: usize, text: string): bool {
  return size === <usize>text.length ? bytesStartWith(bytes, size, text) : equalsWide(bytes, size, text);
}

/** True when the bytes start with the UTF-8 of a string. Decodes nothing. */
export function bytesStartWith(bytes: usize, size: usize, text: string): bool {
  const length = <usize>text.length;
  const from = changetype<usize>(text);
  if (size < length) return false;
  let i: usize = 0;
  for (; i + 4 <= length && widened(load<u32>(bytes + i)) === load<u64>(from + (i << 1)); i += 4);
  for (; i < length; i++) {
    const unit = load<u16>(from + (i << 1));
    if (unit >= 0x80) return startsWithWide(bytes, size, text);
    if (load<u8>(bytes + i) !== unit) return false;
  }
  return true;
}

/** For a text with other characters than ASCII, which has more bytes than units. */
function equalsWide(bytes: usize, size: usize, text: string): bool {
  return size > <usize>text.length && size === <usize>String.UTF8.byteLength(text) && startsWithWide(bytes, size, text);
}

function startsWithWide(bytes: usize, size: usize, text: string): bool {
  const encoded = encode(text);
  return size >= encodedSize && memory.compare(bytes, encoded, encodedSize) === 0;
}

function isAscii(bytes: usize, size: usize): bool {
  let bits: u64 = 0;
  let i: usize = 0;
  for (; i + 8 <= size; i += 8) bits |= load<u64>(bytes + i);
  for (; i < size; i++) bits |= load<u8>(bytes + i);
  return (bits & 0x8080808080808080) === 0;
}
