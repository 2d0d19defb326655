import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { sourceFolder } from "./rooms.ts";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/ARCHITECTURE.md", root), "utf8");
const source = new URL(`${sourceFolder}/`, root);
const names = new Set(
  readdirSync(source, { recursive: true, encoding: "utf8" }).map((path) => path.split(/[\\/]/).at(-1)),
);

test("docs/ARCHITECTURE.md names only files and folders that exist", () => {
  const lines = page.replaceAll(/```.*?```/gs, "").split("\n");
  const named = lines.flatMap((line) => {
    const paths = [...line.matchAll(/`([^`]+)`/g)].flatMap(([, text = ""]) => (isPath(text) ? [text] : []));
    // A row of a table is about the folder in its first cell. Paths in the row may start there.
    const about = /^\| `([\w./-]+\/)` /.exec(line)?.[1] ?? "";
    return paths.map((path) => ({ path, about }));
  });
  assert.ok(named.length > 50, `${named.length} paths found`);
  assert.deepEqual(
    named.filter((each) => !isThere(each)).map(({ path }) => path),
    [],
  );
});

const isPath = (text: string): boolean =>
  /^[\w.-]+(?:\/[\w.-]*)+$|^[\w.-]+\.(?:ts|json|mjs|txt|md)$/.test(text) && !text.startsWith("@");

function isThere({ path, about }: { readonly path: string; readonly about: string }): boolean {
  const places = [root, source].flatMap((place) => [place, new URL(about, place)]);
  return names.has(path) || places.some((place) => existsSync(new URL(path, place)));
}

test("docs/ARCHITECTURE.md names only scripts that exist", () => {
  const scriptsOf = (workspace: string) =>
    JSON.parse(readFileSync(new URL(`${workspace}/package.json`, root), "utf8")).scripts as Record<string, string>;
  const scripts = [...page.matchAll(/`npm run ([\w:-]+)(?: -w ([\w/-]+))?/g)];
  assert.ok(scripts.length > 0);
  for (const [text, name = "", workspace = "."] of scripts) assert.ok(name in scriptsOf(workspace), text);
});
