import { JsonKind, JsonReader } from "@chancery/filter-sdk";
import { Fields } from "./fields";

const DEEPEST: i32 = 128;
/** The maximum number of masked values in one answer. Each needs 12 bytes until the end of the answer. */
const MOST_VALUES: i32 = 100_000;

/** Finds the values to mask while an answer arrives, and then writes the masked answer. All other bytes stay. */
@final
export class Redactor extends JsonReader {
  private fields: Fields;
  /** The states of the current value at each depth. */
  private sets: StaticArray<u64>;
  private inList: StaticArray<bool> = new StaticArray<bool>(DEEPEST + 1);
  /** The depth and the field of the masked value that is being read; -1 when there is none. */
  private masking: i32 = -1;
  private field: i32 = -1;
  /** For each masked value: its start, its end and its field. */
  private found: Array<u32> = [];

  constructor(fields: Fields) {
    super(DEEPEST, fields.longestName);
    this.fields = fields;
    this.sets = new StaticArray<u64>((DEEPEST + 1) * fields.words);
    fields.begin(this.sets);
  }

  /** The number of masked values. */
  get count(): i32 {
    return this.found.length / 3;
  }

  protected override onName(): void {
    if (this.masking >= 0) return;
    const words = this.fields.words;
    const text = changetype<usize>(this.text);
    this.fields.advance(this.sets, (this.depth - 1) * words, this.depth * words, false, text, this.textSize);
  }

  protected override onValue(kind: JsonKind): void {
    if (this.masking >= 0) return;
    const depth = this.depth;
    const words = this.fields.words;
    if (depth > 0 && this.inList[depth - 1]) {
      this.fields.advance(this.sets, (depth - 1) * words, depth * words, true, 0, 0);
    }
    this.inList[depth] = kind === JsonKind.Array;
    const field = this.fields.masks(this.sets, depth * words);
    if (field < 0) return;
    if (this.count === MOST_VALUES) {
      this.reject("too many values to mask");
      return;
    }
    this.masking = depth;
    this.field = field;
    this.found.push(this.at);
  }

  protected override onValueEnd(_kind: JsonKind): void {
    if (this.masking !== this.depth) return;
    this.masking = -1;
    this.found.push(this.at);
    this.found.push(this.field);
  }

  /** Returns the masked answer. Call it when the answer was read to its end. */
  redacted(body: ArrayBuffer): ArrayBuffer {
    const result = new ArrayBuffer(this.sizeAfter(body));
    let to = changetype<usize>(result);
    let from: u32 = 0;
    for (let i = 0; i < this.found.length; i += 3) {
      const start = this.found[i];
      to = appended(to, changetype<usize>(body) + from, start - from);
      from = this.found[i + 1];
      to = this.appendMasked(to, body, i);
    }
    appended(to, changetype<usize>(body) + from, body.byteLength - from);
    return result;
  }

  private sizeAfter(body: ArrayBuffer): i32 {
    let size = body.byteLength;
    for (let i = 0; i < this.found.length; i += 3) {
      const removed = <i32>(this.found[i + 1] - this.found[i]);
      size -= removed;
      size += this.fields.list[this.found[i + 2]].asNull ? 4 : 5 + this.keptSize(body, i);
    }
    return size;
  }

  private appendMasked(to: usize, body: ArrayBuffer, at: i32): usize {
    if (this.fields.list[this.found[at + 2]].asNull) {
      store<u32>(to, 0x6c6c756e /* null */);
      return to + 4;
    }
    store<u32>(to, 0x2a2a2a22 /* "*** */);
    const kept = this.keptSize(body, at);
    const isString = load<u8>(changetype<usize>(body) + this.found[at]) === 0x22;
    const end = changetype<usize>(body) + this.found[at + 1] - (isString ? 1 : 0);
    to = appended(to + 4, end - kept, kept);
    store<u8>(to, 0x22 /* " */);
    return to + 1;
  }

  /** The number of bytes to keep at the end of a value. 0 unless the value has at least twice as many characters. */
  private keptSize(body: ArrayBuffer, at: i32): u32 {
    const keepLast = this.fields.list[this.found[at + 2]].keepLast;
    let start = changetype<usize>(body) + this.found[at];
    let end = changetype<usize>(body) + this.found[at + 1];
    const first = load<u8>(start);
    if (keepLast === 0 || (first !== 0x22 && first !== 0x2d && (first < 0x30 || first > 0x39))) return 0;
    if (first === 0x22 /* " */) {
      start++;
      end--;
    }
    let characters = 0;
    for (let each = start; each < end; each += characterSize(each, end)) characters++;
    if (characters < keepLast * 2) return 0;
    for (let skipped = characters - keepLast; skipped > 0; skipped--) start += characterSize(start, end);
    return <u32>(end - start);
  }
}

/** The size of the character that starts here, in a valid JSON string. */
function characterSize(at: usize, end: usize): usize {
  const byte = load<u8>(at);
  if (byte === 0x5c /* \ */) {
    if (load<u8>(at, 1) !== 0x75 /* u */) return 2;
    const isPair =
      isSurrogate(at, 0x38 /* 8 */) && at + 6 < end && load<u8>(at, 6) === 0x5c && isSurrogate(at + 6, 0x63);
    return isPair ? 12 : 6;
  }
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/** True for an escape from \ud8.. to \udb.. (`least` is "8"), or from \udc.. to \udf.. ("c"). */
function isSurrogate(at: usize, least: u32): bool {
  if (load<u8>(at, 1) !== 0x75 /* u */ || (load<u8>(at, 2) | 0x20) !== 0x64 /* d */) return false;
  const digit = load<u8>(at, 3) | 0x20;
  return least === 0x63
    ? digit >= 0x63 && digit <= 0x66
    : digit === 0x38 || digit === 0x39 || digit === 0x61 || digit === 0x62;
}

function appended(to: usize, from: usize, size: usize): usize {
  memory.copy(to, from, size);
  return to + size;
}
