import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../src/", import.meta.url);
const catalogue = readFileSync(new URL("../../../docs/PROBLEMS.md", import.meta.url), "utf8");

/** The codes that the catalogue explains, by the title of their section. */
const sections = new Map(
  catalogue
    .split(/^# /m)
    .slice(1)
    .map((section): [title: string, codes: string[]] => [
      section.split("\n", 1)[0] ?? "",
      [...section.matchAll(/^## (.+)$/gm)].map(([, code = ""]) => code),
    ])
    .filter(([, codes]) => codes.length > 0),
);
const explained = [...sections.values()].flat();

/** Envoy's words in these files, and the gRPC statuses of the calls in these folders, have the same form as codes. */
const withoutCodes = /^(?:model\/format-string\.ts$|filter-bench\/bootstrap\.ts$|(?:grpc|services)\/)/;

/** What is shipped, without comments: a code that only a comment speaks of is raised nowhere. */
const source = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter(
    (path) => path.endsWith(".ts") && !/(?:\.test|\.contract|\btesting)\.ts$/.test(path) && !withoutCodes.test(path),
  )
  .map((path) => readFileSync(new URL(path, folder), "utf8").replaceAll(/\/\*\*.*?\*\/|^ *\/\/[^\n]*$/gms, ""))
  .join("\n");

/** The fields and calls that give a problem its code; a new way of raising one is added here. */
const raising =
  /\b(?:code(?:: | = )|(?:requestError\(\s*[\w.]+,|rejected\(|faulty?\(|EnvoyUnavailable\()\s*)"([A-Z][A-Z0-9_]*)"/g;
const raised = new Set([...source.matchAll(raising)].map(([, code = ""]) => code));

/** Everything else in the form of a code, however it gets to where it is raised. */
const mentioned = [...source.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)].map(([, text = ""]) => text);
/** The environment's variables, Fastify's and the YAML reader's own codes, and words of Envoy's API. */
const others = /^(?:CHANCERY|XDG|FST)_|^(?:RESOURCE_EXHAUSTION|LEAST_REQUEST|ROUND_ROBIN|IP_ADDRESS)$/;
const inUse = new Set([...raised, ...mentioned.filter((text) => !others.test(text))]);

test("every code in the source is explained in the catalogue", () => {
  assert.ok(inUse.size > 0);
  assert.deepEqual([...inUse].filter((code) => !explained.includes(code)).sort(), []);
});

test("every code in the catalogue is raised in the source", () => {
  assert.deepEqual(
    explained.filter((code) => !raised.has(code)),
    [],
  );
});

test("the catalogue explains each code once, in order within its section, and links each section at its top", () => {
  assert.equal(new Set(explained).size, explained.length);
  const links = [...catalogue.matchAll(/^\| \[(.+)\]\(#(.+)\) +\|/gm)].map(([, title, anchor]) => [title, anchor]);
  assert.deepEqual(
    links,
    [...sections.keys()].map((title) => [title, title.toLowerCase().replaceAll(" ", "-")]),
  );
  for (const codes of sections.values()) assert.deepEqual(codes, codes.toSorted());
});
