import { allocate } from "./memory";

/** The size of what `encode` wrote last. */
export let encodedSize: usize = 0;

/** Writes a string as UTF-8 into memory that lives until the callback ends. Sets `encodedSize`. */
export function encode(text: string): usize {
  const length = text.length;
  const from = changetype<usize>(text);
  const block = allocate(length);
  let bits: u32 = 0;
  for (let i = 0; i < length; i++) {
    const unit: u32 = load<u16>(from + ((<usize>i) << 1));
    bits |= unit;
    store<u8>(block + i, unit);
  }
  if (bits < 0x80) {
    encodedSize = length;
    return block;
  }
  encodedSize = String.UTF8.byteLength(text);
  const wider = allocate(encodedSize);
  String.UTF8.encodeUnsafe(from, length, wider);
  return wider;
}

/** A string of UTF-8 bytes. */
export function decode(bytes: usize, size: usize): string {
  if (!isAscii(bytes, size)) return String.UTF8.decodeUnsafe(bytes, size);
  const text = __new(size << 1, idof<string>());
  for (let i: usize = 0; i < size; i++) store<u16>(text + (i << 1), load<u8>(bytes + i));
  return changetype<string>(text);
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
  for (let i: usize = 0; i < length; i++) {
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
  return (bits & (((<u64>0x80808080) << 32) | 0x80808080)) === 0;
}
