import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Words that this project does not use, and the words that it uses instead (docs/GLOSSARY.md). */
const words: readonly (readonly [unwanted: RegExp, instead: string])[] = [
  [/\brefus(?:e[sdr]?|als?|ing)\b/i, "reject, NACK, rejection"],
  [/(?<!\bin.?)\bflights?\b/i, "canary"],
  [/\bsigns? of life\b|\bmortals?\b/i, "heartbeat, a resource with a time to live"],
  [/\btellers?\b|\bnews ?desks?\b|\bledgers?\b|\bglances?\b/i, "the field's noun for what it does"],
  [/\banew\b/i, "again"],
  [/\bwhoever\b/i, "a client that, anyone who"],
  [/\bbe it\b/i, "whether"],
  [/\b(?:becomes?|became) of\b/i, "happens to"],
];

/** Names that stay: system errors, Envoy's retry conditions, and the prefix of canary stats (docs/RATIONALE.md). */
const thatStay = /ECONNREFUSED|connection refused|refused-stream|REFUSED_STREAM|filter_flight/gi;

/** With the words of identifiers apart: "is Refused" for isRefused, "refused by" for refused_by. */
const inWords = (text: string): string =>
  text.replaceAll(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ").replaceAll("_", " ");

/** Not ours to word, or about the words themselves. */
const left =
  /^(?:CHANGELOG\.md|changelog\/|integration\/src\/data-dirs\/writes\.ts$|LICENSE|package-lock\.json|STYLE\.md|xds-proto-ts\/gen\/|tools\/architecture\/src\/words\.test\.ts$)|\/testdata\/data-dirs\/|\.(?:wasm|binpb|db|png|svg|sum)$/;

const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && !left.test(file));

for (const [unwanted, instead] of words) {
  test(`nothing says ${unwanted.source}; say: ${instead}`, () => {
    const found = files.flatMap((file) =>
      readFileSync(path.join(root, file), "utf8")
        .replaceAll(thatStay, "")
        .split("\n")
        .flatMap((line, at) => (unwanted.test(inWords(line)) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
    );
    assert.deepEqual(found, []);
  });
}

test("the words are found inside identifiers, and requests in flight are no canary", () => {
  const isUnwanted = (text: string) => words.some(([unwanted]) => unwanted.test(inWords(text)));
  const unwanted = [
    "isRefused",
    "MeshRefused",
    "refused_by",
    "WAS_REFUSED",
    "XDSRefusal",
    "newsDesk",
    "NewsDesk",
    "LedgerOf",
  ];
  assert.deepEqual(
    [...unwanted, "newFlight", "glances", "mortal_1"].filter((text) => !isUnwanted(text)),
    [],
  );
  assert.deepEqual(["inFlight", "IN_FLIGHT", "in-flight", "immortal", "diffuse", "storyteller"].filter(isUnwanted), []);
});
