import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

const folder = new URL("../../src/", import.meta.url);
const page = readFileSync(new URL("../../../docs/LIMITS.md", import.meta.url), "utf8");

/** Constants that are no limits: values of a protocol or a format, and parameters of a judgement or a display. */
const others: Readonly<Record<string, readonly string[]>> = {
  "grpc/call.ts": ["frameHeadBytes"],
  "services/discovery/fields.ts": ["varint", "fixed64", "lengthDelimited", "startGroup", "endGroup", "fixed32"],
  "model/regex.ts": ["uncountedSteps"],
  "protocol/push-order.ts": ["always"],
  "resources/encode.ts": ["versionLength"],
  "store/sqlite-file.ts": ["applicationId", "formatVersion", "sqliteBusy", "sqliteCorrupt", "sqliteNotADatabase"],
  // A default of `--limit keepRevisions`.
  "store/sqlite-store.ts": ["defaultKeepRevisions"],
  "store/acknowledged.ts": ["noteBytes"],
  "workers/pool.ts": ["streamsPerProcess"],
  "cli/canary-judge.ts": [
    "toleratedShare",
    "significance",
    "minRequestsForLatency",
    "toleratedFactor",
    "toleratedExtraMicros",
  ],
  "cli/line-diff.ts": ["context"],
  "cli/commands/filter-bench.ts": ["rounds"],
  "filter-bench/bench.ts": ["connections", "warmUpMs"],
};

/** The shipped source without comments, by path. */
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !/(?:\.test|\.contract|\btesting)\.ts$/.test(path))
  .map((path): [path: string, text: string] => {
    const text = readFileSync(new URL(path, folder), "utf8");
    return [path, text.replaceAll(/\/\*\*.*?\*\/|^ *\/\/[^\n]*$/gms, "")];
  });

interface Constant {
  readonly path: string;
  readonly name: string;
  readonly value: number;
}

const constants = sources.flatMap(([path, text]) =>
  numbersIn(text).map(([name, value]): Constant => ({ path, name, value })),
);

/** The constants of a text that are numbers, or computed of numbers: "16 * 1024 + 1", "1 << 20", "0x400", "5 as const". */
function numbersIn(text: string): readonly (readonly [name: string, value: number])[] {
  const declared = text.matchAll(/\bconst (\w+)(?:: number)? = ([-(]*\d[\w.+*/()<>& -]*?)(?: (?:as|satisfies) \w+)?;/g);
  return [...declared].flatMap(([, name = "", expression = ""]) => {
    const isOfNumbers = expression
      .split(/(?:(?<!\de)[-+]|[*/()<>& ])+/)
      .every((part) => part === "" || !Number.isNaN(Number(part.replaceAll("_", ""))));
    return isOfNumbers ? [[name, runInNewContext(expression)] as const] : [];
  });
}

const listed = [...page.matchAll(/^\| `([\w/.-]+\.ts)` +\| `(\w+)` +\| (\d+) +\| \S/gm)].map(
  ([, path = "", name = "", value]): Constant => ({ path, name, value: Number(value) }),
);

const inOrder = (list: readonly Constant[]): readonly string[] =>
  list.map(({ path, name, value }) => `${path} ${name} = ${value}`).sort();

test("docs/LIMITS.md lists every fixed limit of the source with its value, and no other", () => {
  assert.ok(constants.length > 50, `${constants.length} constants found`);
  const limits = constants.filter(({ path, name }) => !others[path]?.includes(name));
  assert.deepEqual(inOrder(listed), inOrder(limits));
});

test("each constant that this test lists as no limit exists", () => {
  const known = Object.entries(others).flatMap(([path, names]) => names.map((name) => `${path} ${name}`));
  const found = new Set(constants.map(({ path, name }) => `${path} ${name}`));
  assert.deepEqual(
    known.filter((each) => !found.has(each)),
    [],
  );
});

test("a number that limits something is a named constant", () => {
  // The limits of `--limit` are in lists of defaults. Schemas in model/ limit documents.
  const unnamed =
    /(?<!const )\b(?:\w*(?:[mM]ax|[lL]imit|[tT]imeout)\w*|\w+(?:Ms|Bytes|Length|Lines|Chars))(?: =|:| \?\?) ?(?:[2-9]|\d[\d_.]+)\b|\.(?:length|size) [<>]=? \d[\d_]+/g;
  const found = sources
    .filter(([path]) => !path.startsWith("model/"))
    .map(([path, text]) => ({ path, text: text.replaceAll(/\bconst default\w*Limits\b[^;]*;/g, "") }))
    .flatMap(({ path, text }) => [...text.matchAll(unnamed)].map(([match]) => `${path}: ${match}`));
  assert.deepEqual(found, []);
});

test("a constant is read in each form of a number", () => {
  const text = `
const plain = 1_000;
export const computed = 16 * 1024 + 1;
const exponent = 1e6;
const fraction = 25e-2;
const hexadecimal = 0x4_00;
const shifted = 1 << 20;
const grouped: number = (2 + 3) * 4;
const literal = 5 as const;
const other = 2 * plain;
const text = "5";
`;
  assert.deepEqual(numbersIn(text), [
    ["plain", 1_000],
    ["computed", 16_385],
    ["exponent", 1_000_000],
    ["fraction", 0.25],
    ["hexadecimal", 1_024],
    ["shifted", 1_048_576],
    ["grouped", 20],
    ["literal", 5],
  ]);
});
