import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { rooms, sourceFolder } from "./rooms.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const pureRooms = Object.entries(rooms).flatMap(([name, { pure }]) => (pure === undefined ? [] : [name]));

/** A file that breaks a rule, and the rule that finds it. */
interface Violation {
  readonly what: string;
  readonly path: string;
  readonly text: string;
  readonly rule: "noRestrictedImports" | "noRestrictedGlobals" | "noImportCycles" | "plugin";
}

const violations: readonly Violation[] = [
  ...pureRooms.flatMap((room): readonly Violation[] => [
    violation(
      room,
      "the file system",
      'import { readFileSync } from "node:fs";\nexport const text = readFileSync("x");',
    ),
    violation(room, "randomness", "export const number = Math.random();", "plugin"),
    violation(room, "the root", 'import { startApp } from "../main.ts";\nexport const start = startApp;'),
    violation(room, "a clock", "export const now = () => Date.now();", "noRestrictedGlobals"),
    violation(
      room,
      "a foreign room by a type",
      'import type { Store } from "../store/store.ts";\nexport type S = Store;',
    ),
    violation(room, "a dynamic import", 'export const later = () => import("../store/store.ts");'),
  ]),
  violation("model", "a foreign room, exported again", 'export { Mesh } from "../store/store.ts";'),
  violation("model", "a module for its effects", 'import "node:http";'),
  violation("model", "a package that is not in its list", 'import pino from "pino";\nexport const log = pino();'),
  violation("model", "a type imported inline", 'export type S = import("../store/store.ts").Store;', "plugin"),
  violation("model", "a path that is computed", "export const later = (path: string) => import(path);", "plugin"),
  violation("model", "a path that goes up after its start", 'export * from "./../store/store.ts";', "plugin"),
  violation(
    "model",
    "randomness under another name",
    "const { random } = Math;\nexport const number = random();",
    "plugin",
  ),
  violation("model", "randomness of the system", "export const id = crypto.randomUUID();", "noRestrictedGlobals"),
  violation("model", "a timer", "setTimeout(() => {}, 1);", "noRestrictedGlobals"),
  violation("model", "a microtask", "queueMicrotask(() => {});", "noRestrictedGlobals"),
  violation("model", "the log", 'console.log("x");', "noRestrictedGlobals"),
  violation("model", "the environment", "export const home = process.env;", "noRestrictedGlobals"),
  violation("model", "the network", 'export const answer = fetch("http://127.0.0.1");', "noRestrictedGlobals"),
  violation("model", "a global by its object", "export const now = globalThis.performance;", "noRestrictedGlobals"),
  violation("model", "an order by locale", 'export const order = "a".localeCompare("b");', "plugin"),
  violation(
    "model",
    "an order by locale, by a computed name",
    'export const order = "a"["localeCompare"]("b");',
    "plugin",
  ),
  violation("model", "an order by locale, taken apart", "export const { localeCompare } = String.prototype;", "plugin"),
  violation(
    "model",
    "an order by locale under another name",
    "export const { localeCompare: order } = String.prototype;",
    "plugin",
  ),
  violation("model", "a number by locale", "export const text = (1000).toLocaleString();", "plugin"),
  violation("model", "letters by locale", 'export const text = "i"?.toLocaleUpperCase();', "plugin"),
  violation("model", "the path of its file", "export const here = import.meta.dirname;", "plugin"),
  violation("model", "code for tests", 'export * from "./testing.ts";'),
  violation("resources", "another name of an allowed module", 'export { randomBytes } from "node:crypto";'),
  violation("compile/deep", "a foreign room from a folder", 'export * from "../../store/store.ts";'),
  violation("store", "a foreign room, from a shell", 'export * from "../admin/server.ts";'),
  violation("store", "this package by its name", 'export * from "@chancery/xds-server";'),
  violation("store", "the test runner in shipped code", 'export { test } from "node:test";'),
  violation("store", "a part of the test runner in shipped code", 'import "node:test/reporters";'),
  violation(
    "store",
    "a require that no border sees",
    'import { createRequire } from "node:module";\nexport const load = createRequire(import.meta.url);',
  ),
  violation("store", "a require by its module", 'import module from "node:module";\nexport const load = module;'),
  violation(
    "filter-registry",
    "a clock in a file that pure rooms use",
    "export const now = Date.now();",
    "noRestrictedGlobals",
    "abi.ts",
  ),
  violation("services/discovery", "the room around", 'export * from "../xds-server.ts";'),
  violation("services/discovery", "a room beside", 'export * from "../client-status/client-status.ts";'),
  {
    what: "a cycle of types",
    path: "model/planted-cycle.ts",
    text: 'import type { B } from "./planted-other-half.ts";\nexport type A = B | 1;',
    rule: "noImportCycles",
  },
  {
    what: "the other half of a cycle of types",
    path: "model/planted-other-half.ts",
    text: 'import type { A } from "./planted-cycle.ts";\nexport type B = A[];',
    rule: "noImportCycles",
  },
];

/** Files that keep the rules, similar to those that break them. */
const allowed: readonly (readonly [path: string, text: string])[] = [
  ["model/planted-locale.ts", 'export const text = "toLocaleString is a word".toUpperCase();'],
  ["cli/planted-good.ts", 'export { registerHooks } from "node:module";\nexport const here = import.meta.dirname;'],
  ["model/planted-good.ts", 'import { z } from "zod";\nexport const most = z.number().max(Math.max(1, Math.PI));'],
  ["compile/deep/planted-good.ts", 'export * from "../../model/mesh.ts";\nexport * from "../compile.ts";'],
  ["resources/planted-good.ts", 'export { createHash } from "node:crypto";'],
  ["services/discovery/planted-good.ts", 'export type { Limits } from "../limits.ts";'],
  [
    "store/planted-good.ts",
    'import { readFileSync } from "node:fs";\nexport const now = () => [readFileSync("x"), Date.now()];',
  ],
  ["model/planted-good.test.ts", 'import "node:fs";\nimport "../store/store.ts";\nconsole.log(Date.now());'],
];

function violation(
  folder: string,
  what: string,
  text: string,
  rule: Violation["rule"] = "noRestrictedImports",
  file = `planted-${what.replaceAll(/\W+/g, "-")}.ts`,
): Violation {
  return { what, path: `${folder}/${file}`, text, rule };
}

const copy = mkdtempSync(join(tmpdir(), "chancery-borders-"));
after(() => rmSync(copy, { recursive: true, force: true }));

/** Runs the Biome command of `npm run lint` on a copy with all planted files. Returns the rules that each file breaks. */
function lint(): ReadonlyMap<string, readonly string[]> {
  for (const path of ["biome.json", ".gitignore", "package.json", "tools/architecture", sourceFolder]) {
    cpSync(join(root, path), join(copy, path), {
      recursive: true,
      filter: (source) => !/\/(?:dist|testdata|node_modules)$/.test(source),
    });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const { path, text } of [...violations, ...allowed.map(([path, text]) => ({ path, text }))]) {
    const file = join(copy, sourceFolder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  const script: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts.lint;
  const [biome = "", command = "", ...args] = script.split(" && ")[0]?.split(" ") ?? [];
  assert.equal(biome, "biome");
  const { stdout } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/@biomejs/biome/bin/biome"),
      command,
      ...args,
      "--reporter=json",
      "--colors=off",
      "--max-diagnostics=none",
    ],
    { cwd: copy, encoding: "utf8", maxBuffer: 1 << 30 },
  );
  const { diagnostics }: { diagnostics: readonly { category: string; location: { path: string } }[] } =
    JSON.parse(stdout);
  const inSource = diagnostics.map(({ category, location }) => ({
    path: location.path.slice(location.path.indexOf(sourceFolder) + sourceFolder.length + 1),
    rule: category.split("/").at(-1) ?? "",
  }));
  return new Map(
    [...Map.groupBy(inSource, ({ path }) => path)].map(([path, found]) => [path, found.map(({ rule }) => rule)]),
  );
}

const found = lint();

for (const { what, path, rule } of violations) {
  test(`finds ${what} in ${path.slice(0, path.lastIndexOf("/"))}`, () => {
    assert.ok(found.get(path)?.includes(rule), `${path}: ${found.get(path)}`);
  });
}

test("a file that keeps the rules is not reported", () => {
  const rules: readonly string[] = ["noRestrictedImports", "noRestrictedGlobals", "noImportCycles", "plugin"];
  for (const [path] of allowed) {
    assert.deepEqual(
      (found.get(path) ?? []).filter((rule) => rules.includes(rule)),
      [],
      path,
    );
  }
});
