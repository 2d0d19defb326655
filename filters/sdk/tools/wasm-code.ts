import { Reader } from "./wasm-binary.ts";

/** An instruction of a function body. For a prefix of 0xfc or above, the opcode is prefix * 0x10000 + second number. */
export interface Instruction {
  readonly opcode: number;
  readonly start: number;
  readonly end: number;
  /** The index after the opcode of a call: of the function, or of its type. 0 for other instructions. */
  readonly index: number;
}

export const opcode = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  memoryCopy: 0xfc000a,
  memoryFill: 0xfc000b,
} as const;

/** The instructions of a body. `start` is the position after the declarations of locals. */
export function instructionsOf(wasm: Uint8Array, start: number, end: number): Instruction[] {
  const reader = new Reader(wasm, start);
  const instructions: Instruction[] = [];
  while (reader.at < end) {
    const start = reader.at;
    const byte = reader.byte();
    const opcode = byte >= 0xfc ? byte * 0x10000 + reader.u32() : byte;
    const operands = reader.at;
    skipOperands(reader, byte, opcode % 0x10000, start);
    const index = byte >= 0x10 && byte <= 0x13 ? new Reader(wasm, operands).u32() : 0;
    instructions.push({ opcode, start, end: reader.at, index });
  }
  if (reader.at !== end) throw new RangeError(`the code at ${start} does not end at ${end}`);
  return instructions;
}

/** Follows WebAssembly core specification, 5.4, with tail calls, bulk memory, references, vectors and atomics. */
function skipOperands(reader: Reader, byte: number, second: number, start: number): void {
  const { numbers, bytes } = byte >= 0xfc ? prefixed(byte, second) : plain(reader, byte, start);
  for (let i = 0; i < numbers; i++) reader.skipNumber();
  reader.at += bytes;
}

/** The operands after an opcode: LEB128 numbers first, then plain bytes. */
interface Operands {
  readonly numbers: number;
  readonly bytes: number;
}

const none: Operands = { numbers: 0, bytes: 0 };
const oneNumber: Operands = { numbers: 1, bytes: 0 };
const twoNumbers: Operands = { numbers: 2, bytes: 0 };

function plain(reader: Reader, byte: number, start: number): Operands {
  if (byte >= 0x45 && byte <= 0xc4) return none;
  if (byte >= 0x28 && byte <= 0x3e) return twoNumbers;
  if (byte >= 0x20 && byte <= 0x26) return oneNumber;
  switch (byte) {
    case 0x00:
    case 0x01:
    case 0x05:
    case 0x0b:
    case 0x0f:
    case 0x1a:
    case 0x1b:
    case 0xd1:
      return none;
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x12:
    case 0x3f:
    case 0x40:
    case 0x41:
    case 0x42:
    case 0xd0:
    case 0xd2:
      return oneNumber;
    case 0x11:
    case 0x13:
      return twoNumbers;
    case 0x0e:
      return { numbers: reader.u32() + 1, bytes: 0 };
    case 0x1c:
      return { numbers: 0, bytes: reader.u32() };
    case 0x43:
      return { numbers: 0, bytes: 4 };
    case 0x44:
      return { numbers: 0, bytes: 8 };
    default:
      throw new RangeError(`the instruction 0x${byte.toString(16)} at ${start} is not supported`);
  }
}

function prefixed(byte: number, second: number): Operands {
  if (byte === 0xfe) return second === 3 ? { numbers: 0, bytes: 1 } : twoNumbers;
  if (byte === 0xfc) {
    if (second < 8) return none;
    return second === 8 || second === 10 || second === 12 || second === 14 ? twoNumbers : oneNumber;
  }
  if (second <= 11 || second === 92 || second === 93) return twoNumbers;
  if (second === 12 || second === 13) return { numbers: 0, bytes: 16 };
  if (second >= 21 && second <= 34) return { numbers: 0, bytes: 1 };
  return second >= 84 && second <= 91 ? { numbers: 2, bytes: 1 } : none;
}
