import { allocate } from "./memory";

/** The size of what `encode` wrote last. */
export let encodedSize: usize = 0;

/** Constants that were encoded before: 64 places of address, encoding, size. */
const PLACES: usize = 63;
const constants: usize = memory.data(64 * 12, 4);

/** A string as UTF-8, to be read only and before the callback ends. Sets `encodedSize`. */
export function encode(text: string): usize {
  const from = changetype<usize>(text);
  // A string of the module itself never moves or changes, so it is encoded once.
  if (from >= __heap_base) return encodeAnew(text);
  const place = constants + ((from >> 4) & PLACES) * 12;
  const known = load<usize>(place);
  if (known === from) {
    encodedSize = load<usize>(place, 8);
    return load<usize>(place, 4);
  }
  const bytes = encodeAnew(text);
  if (known !== 0) return bytes;
  const kept = heap.alloc(encodedSize);
  memory.copy(kept, bytes, encodedSize);
  store<usize>(place, from);
  store<usize>(place, kept, 4);
  store<usize>(place, encodedSize, 8);
  return kept;
}

/** A string as UTF-8 in memory that the caller may write to until the callback ends. Sets `encodedSize`. */
export function encodeAnew(text: string): usize {
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

/** Strings that were decoded lately, each at the place of its bytes' hash: names and values of headers come again and again. */
const lately = new StaticArray<string | null>(256);
/** Longer strings are seldom the same, and would keep much memory. */
const LONGEST_KEPT: usize = 48;

/** A string of UTF-8 bytes. */
export function decode(bytes: usize, size: usize): string {
  if (size === 0) return "";
  if (size > LONGEST_KEPT) return decodeAnew(bytes, size);
  const place = hashed(bytes, size);
  const kept = unchecked(lately[place]);
  if (kept !== null && <usize>kept.length === size && widenTo(bytes, size, changetype<usize>(kept))) return kept;
  const text = decodeAnew(bytes, size);
  // In a string beyond ASCII the units are fewer than the bytes.
  if (<usize>text.length === size) unchecked((lately[place] = text));
  return text;
}

function decodeAnew(bytes: usize, size: usize): string {
  if (!isAscii(bytes, size)) return String.UTF8.decodeUnsafe(bytes, size);
  const text = __new(size << 1, idof<string>());
  let i: usize = 0;
  for (; i + 4 <= size; i += 4) store<u64>(text + (i << 1), widened(load<u32>(bytes + i)));
  for (; i < size; i++) store<u16>(text + (i << 1), load<u8>(bytes + i));
  return changetype<string>(text);
}

/** Four bytes as four units. */
function widened(bytes: u32): u64 {
  let units: u64 = bytes;
  units = (units | (units << 16)) & 0x0000ffff0000ffff;
  return (units | (units << 8)) & 0x00ff00ff00ff00ff;
}

/** Whether bytes are these units of ASCII. */
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

/** Whether bytes are the UTF-8 of a string, without decoding them. */
export function bytesEqual(bytes: usize, size: usize, text: string): bool {
  return size === <usize>text.length ? bytesStartWith(bytes, size, text) : equalsWide(bytes, size, text);
}

/** Whether bytes start with the UTF-8 of a string, without decoding them. */
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

/** A text beyond ASCII has more bytes than units. */
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
