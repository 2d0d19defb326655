import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { problemCodes } from "./problem-codes.ts";

const folder = new URL("../../src/", import.meta.url);
const catalogue = readFileSync(new URL("../../../docs/PROBLEMS.md", import.meta.url), "utf8");

/** The codes that the catalogue explains, by the title of their section. */
const sections = catalogue
  .split(/^# /m)
  .slice(1)
  .map((section): [title: string, codes: string[]] => [
    section.split("\n", 1)[0] ?? "",
    [...section.matchAll(/^## (.+)$/gm)].map(([, code = ""]) => code),
  ])
  .filter(([, codes]) => codes.length > 0);

test("the catalogue explains every code, in its section, and no other", () => {
  assert.deepEqual(Object.fromEntries(sections), problemCodes);
});

test("each code is listed once, sorted within its section", () => {
  const codes = Object.values(problemCodes).flat();
  assert.equal(new Set(codes).size, codes.length);
  for (const [, section] of sections) assert.deepEqual(section, section.toSorted());
});

/** Files that are not shipped, and files with gRPC statuses, because some statuses have the name of a code. */
const raisesNone = /(?:\.test|\.contract|\btesting|\bproblem-codes)\.ts$|^(?:grpc|services|workers)\//;

test("every code is raised in the source", () => {
  const source = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !raisesNone.test(path))
    .map((path) => readFileSync(new URL(path, folder), "utf8").replaceAll(/\/\*\*.*?\*\/|^ *\/\/[^\n]*$/gms, ""))
    .join("\n");
  // A comparison does not raise a code.
  const written = new Set([...source.matchAll(/(?<!=== )"([A-Z0-9_]+)"/g)].map(([, text]) => text));
  const codes: readonly string[] = Object.values(problemCodes).flat();
  assert.deepEqual(
    codes.filter((code) => !written.has(code)),
    [],
  );
});

test("the catalogue links each section at its top", () => {
  const links = [...catalogue.matchAll(/^\| \[(.+)\]\(#(.+)\) +\|/gm)].map(([, title, anchor]) => [title, anchor]);
  assert.deepEqual(
    links,
    sections.map(([title]) => [title, title.toLowerCase().replaceAll(" ", "-")]),
  );
});
