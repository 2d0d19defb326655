import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { compile } from "./compile.ts";

// Compares JsonReader with JSON.parse and a strict decoder of UTF-8, with pieces of every size.

/** Records the reader's callbacks: where each value begins and ends, and the text of names, strings and numbers. */
const recorder = `
import { JsonReader } from "@chancery/filter-sdk/json-reader";
import { JsonKind } from "@chancery/filter-sdk/json-value";

class Recorder extends JsonReader {
  trace: string = "";
  protected onValue(kind: JsonKind): void {
    this.trace += this.at.toString() + "<" + kind.toString() + " ";
  }
  protected onValueEnd(kind: JsonKind): void {
    if (kind < JsonKind.Array) this.traceText();
    this.trace += kind.toString() + ">" + this.at.toString() + " ";
  }
  protected onName(): void {
    this.traceText();
    this.trace += ": ";
  }
  private traceText(): void {
    const kept = String.UTF8.decodeUnsafe(changetype<usize>(this.text), min(this.textSize, this.text.length));
    this.trace += kept + "|" + this.textSize.toString() + "|" + this.characters.toString() + (this.loneSurrogate ? "|lone " : " ");
  }
}

export function read(text: ArrayBuffer, pieces: Int32Array, depth: i32, capacity: i32): string {
  const reader = new Recorder(depth, capacity);
  let at = 0;
  for (let i = 0; i < pieces.length; i++) {
    const size = min(pieces[i], text.byteLength - at);
    reader.read(changetype<usize>(text) + at, size);
    at += size;
  }
  reader.read(changetype<usize>(text) + at, text.byteLength - at);
  reader.finish();
  return reader.fault === "" ? reader.trace : "fault at " + reader.at.toString() + ": " + reader.fault;
}
export function newText(size: i32): ArrayBuffer { return new ArrayBuffer(size); }
export function newPieces(size: i32): Int32Array { return new Int32Array(size); }
export function setPiece(pieces: Int32Array, at: i32, size: i32): void { pieces[at] = size; }
export function collect(): void { __collect(); }
`;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  read(text: number, pieces: number, depth: number, capacity: number): number;
  newText(size: number): number;
  newPieces(size: number): number;
  setPiece(pieces: number, at: number, size: number): void;
  collect(): void;
}

const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    instantiate(wasm: Uint8Array, imports: object): Promise<{ readonly instance: { readonly exports: Exports } }>;
  };
};

const directory = fileURLToPath(new URL("../assembly/tests/", import.meta.url));
const compiled = await compile({ directory, source: recorder, maximumMemoryPages: 512 });
assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
const { exports: reader } = (await WebAssembly.instantiate(compiled.wasm, { env: { proxy_log: () => 0 } })).instance;
reader._initialize();

interface How {
  /** The sizes of the first pieces. The rest is one piece. */
  readonly pieces?: readonly number[];
  readonly depth?: number;
  readonly capacity?: number;
}

function read(text: string | Uint8Array, { pieces = [], depth = 64, capacity = 1000 }: How = {}): string {
  const bytes = Buffer.from(text);
  reader.collect();
  const at = reader.newText(bytes.length);
  new Uint8Array(reader.memory.buffer).set(bytes, at);
  const sizes = reader.newPieces(pieces.length);
  for (const [index, size] of pieces.entries()) reader.setPiece(sizes, index, size);
  const answer = reader.read(at, sizes, depth, capacity);
  const length = new DataView(reader.memory.buffer).getUint32(answer - 4, true);
  return Buffer.from(reader.memory.buffer, answer, length).toString("utf16le");
}

const one = (bytes: { readonly length: number }): How => ({ pieces: Array.from(bytes, () => 1) });

function isGood(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const bytesOf = (...bytes: readonly number[]) => Buffer.from(bytes);

// Like https://github.com/nst/JSONTestSuite: texts that every reader must accept, and texts that it must reject.
const good: readonly (string | Uint8Array)[] = [
  ...["0", "-0", "-1", "10", "1.5", "-0.0", "1e1", "1E+9", "1e-9", "0e1", "123.456e78", "true", "false", "null", '""'],
  ...["[]", "[ ]", "{}", "{ }", " [1] ", "\t\r\n1\n", "[[],{}]", '[""]', "[1,2,3]", '{"a":1}', '{"a":{"b":[null]}}'],
  ...[
    '{"":0}',
    '{"a":1,"a":2}',
    '"\\u0000"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\uD83D\\uDE00"',
    '"\\ud83d\\ude00\\ud83d"',
  ],
  ...[
    '"\\udc00"',
    '"\\ud800x"',
    '"\\ud800\\n"',
    '"\\ud800\\ud800"',
    '"é"',
    '"\u2028"',
    '"😀"',
    '"\u{10ffff}"',
    '"\x7f"',
  ],
  ...[
    '"\\uAbCd"',
    '{"\\u0061":1}',
    '{"a b":[1 , 2 ]\n,"c":{ } }',
    "[1.0e+00]",
    "[-0e-0]",
    '"\ufffd"',
    '"\ud7ff\ue000"',
  ],
];
const bad: readonly (string | Uint8Array)[] = [
  ...[
    "",
    " ",
    "-",
    "+1",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "1.e1",
    "1e",
    "1e+",
    "1e1.5",
    "0x1",
    "1_000",
    "NaN",
    "Infinity",
  ],
  ...[
    "-Infinity",
    "1 2",
    "tru",
    "truE",
    "nul",
    "nulll",
    "falsey",
    "True",
    "undefined",
    "'a'",
    '"',
    '"a',
    '"\\',
    '"\\"',
  ],
  ...[
    '"\\x"',
    '"\\u"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\u-123"',
    '"\\U0041"',
    '"\n"',
    '"\t"',
    '"\0"',
    '"\x1f"',
    "[",
    "]",
    "[1",
  ],
  ...[
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1}",
    "[1]]",
    "[1],",
    "{",
    "}",
    "{]",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1',
  ],
  ...[
    '{"a" 1}',
    '{"a"::1}',
    "{a:1}",
    "{1:1}",
    '{"a":1 "b":2}',
    '{"a":1,,"b":2}',
    "{,}",
    '{"a":1}}',
    "[]x",
    "//",
    "/* */1",
  ],
  ...[
    "[1]/",
    "#",
    "\ufeff1",
    "\u00a01",
    "1\f",
    "\v1",
    "[1]\0",
    "{}{}",
    '"a""b"',
    "--1",
    "1-",
    "1+1",
    "[-]",
    "[tru e]",
    '"\\a"',
  ],
  bytesOf(0x22, 0x80, 0x22),
  bytesOf(0x22, 0xc0, 0x80, 0x22),
  bytesOf(0x22, 0xc1, 0xbf, 0x22),
  bytesOf(0x22, 0xc3, 0x22),
  bytesOf(0x22, 0xe0, 0x9f, 0xbf, 0x22),
  bytesOf(0x22, 0xed, 0xa0, 0x80, 0x22),
  bytesOf(0x22, 0xe2, 0x82, 0x22),
  bytesOf(0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22),
  bytesOf(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22),
  bytesOf(0x22, 0xf5, 0x80, 0x80, 0x80, 0x22),
  bytesOf(0x22, 0xff, 0x22),
  bytesOf(0x31, 0xc3, 0xa9),
  bytesOf(0xfe, 0xff, 0x00, 0x31),
];

test("accepts and rejects a table of texts as JSON.parse does", () => {
  for (const [texts, wanted] of [
    [good, true],
    [bad, false],
  ] as const) {
    for (const text of texts) {
      const bytes = Buffer.from(text);
      const shown = `${JSON.stringify(bytes.toString())} (${bytes.toString("hex")})`;
      assert.equal(isGood(bytes), wanted, `JSON.parse: ${shown}`);
      assert.equal(!read(bytes).startsWith("fault"), wanted, `${shown}: ${read(bytes)}`);
      assert.equal(read(bytes, one(bytes)), read(bytes), `byte by byte: ${shown}`);
    }
  }
});

test("reports values with their places, decodes strings and counts their characters", () => {
  assert.equal(
    read(' {"a\\u0062" : [1.50,"é😀\\ud83d\\ude00\\n"] } '),
    "1<6 ab|2|2 : 14<5 15<3 1.50|4|0 3>19 20<4 é😀😀\n|11|4 4>42 5>43 6>45 ",
  );
  assert.equal(read("[true,null]"), "0<5 1<2 true|4|0 2>5 6<1 null|4|0 1>10 5>11 ");
  assert.match(read('"\\ud83dx"'), /\|4\|2\|lone /);
});

test("reports a fault with its place", () => {
  for (const [text, fault] of [
    ['{"a":tru}', "8: a value is expected"],
    ["[1 2]", '3: "," or "]" is expected'],
    ['{"a":1', "6: more is expected"],
    ['{"a":1]', '6: "," or "}" is expected'],
    ["", "0: a value is expected"],
    ["1 1", "2: nothing more is expected"],
    ['{"a" 1}', '5: ":" is expected'],
    ["[-]", "2: a digit is expected"],
    ['"\\u12g4"', "5: four hexadecimal digits are expected"],
  ] as const) {
    assert.equal(read(text), `fault at ${fault}`);
  }
});

test("limits nesting, and stores only the start of a long string", () => {
  assert.match(read("[[[]]]", { depth: 3 }), /^0<5/);
  assert.equal(read('[[{"a":[]}]]', { depth: 3 }), "fault at 7: nesting is limited to 3 levels");
  assert.equal(read('"abcdef"', { capacity: 4 }), "0<4 abcd|6|6 4>8 ");
  assert.equal(read('"ab\\ncéf"', { capacity: 4, pieces: [2, 3] }), "0<4 ab\nc|7|6 4>10 ");
  assert.equal(read(`"${"x".repeat(300_000)}"`, { capacity: 1 }), "0<4 x|300000|300000 4>300002 ");
});

/** Random valid JSON, with every allowed way of writing it. */
const text = fc.letrec((tie) => ({
  space: fc.constantFrom("", "", "", " ", "\n\t "),
  string: fc
    .array(
      fc.oneof(
        fc.constantFrom("a", "\\n", '\\"', "\\\\", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\udc00", "é", "€", "😀"),
        fc.string({ maxLength: 5 }).map((plain) => JSON.stringify(plain).slice(1, -1)),
      ),
      { maxLength: 6 },
    )
    .map((parts) => `"${parts.join("")}"`),
  scalar: fc.oneof(
    tie("string"),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
    fc.constantFrom("true", "false", "null", "-0", "1E5"),
  ),
  list: fc
    .array(fc.tuple(tie("space"), tie("value"), tie("space")), { maxLength: 4 })
    .map((all) => `[${all.map((each) => each.join("")).join(",")}]`),
  object: fc
    .array(fc.tuple(tie("space"), tie("string"), tie("space"), fc.constant(":"), tie("space"), tie("value")), {
      maxLength: 4,
    })
    .map((all) => `{${all.map((each) => each.join("")).join(",")}}`),
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("scalar"), tie("list"), tie("object")),
})).value as fc.Arbitrary<string>;

/** Random JSON with a few bytes removed, inserted or changed. */
const spoilt = fc
  .tuple(
    text,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(2),
        fc.constantFrom(...Buffer.from('{}[],:"\\ue0-+.1 \ntfn'), 0x80, 0xc3, 0xe2, 0xf0, 0xff),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([written, edits]) => {
    const bytes = [...Buffer.from(written)];
    for (const [place, removed, byte] of edits)
      bytes.splice(place % (bytes.length + 1), removed, ...(removed < 2 ? [byte] : []));
    return Buffer.from(bytes);
  });

const pieces = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 });

test("accepts and rejects random texts as JSON.parse does, in random pieces", () => {
  fc.assert(
    fc.property(spoilt, pieces, (bytes, sizes) => {
      const whole = read(bytes);
      assert.equal(!whole.startsWith("fault"), isGood(bytes), whole);
      assert.equal(read(bytes, { pieces: sizes }), whole);
      assert.equal(read(bytes, one(bytes)), whole);
    }),
    { numRuns: 3000 },
  );
});

test("decodes random strings as JSON.parse does", () => {
  fc.assert(
    fc.property(text, (written) => {
      const value: unknown = JSON.parse(written);
      if (typeof value !== "string" || !value.isWellFormed()) return;
      const size = Buffer.byteLength(value);
      assert.equal(read(written), `0<4 ${value}|${size}|${[...value].length} 4>${Buffer.byteLength(written)} `);
    }),
    { numRuns: 3000 },
  );
});
