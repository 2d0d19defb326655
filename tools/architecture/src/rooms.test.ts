import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { filesOfPureRooms, isTestCode, maxFolders } from "./borders.ts";
import { generatedFiles } from "./generated.ts";
import { deniedGlobals, pureGlobals } from "./globals.ts";
import { roomOf, shippedImports, sourceFiles } from "./imports.ts";
import { rooms, sourceFolder } from "./rooms.ts";
import { forbiddenSuppressions } from "./suppressions.ts";

const root = new URL("../../../", import.meta.url);
const folder = new URL(`${sourceFolder}/`, root);
const files = sourceFiles(folder);
const imports = shippedImports(folder);

for (const { path, present, wanted } of generatedFiles()) {
  test(`${path} agrees with the table of rooms; "npm run generate" renews it`, () => assert.equal(present, wanted));
}

test("each file of the source is in a room, and each room has files", () => {
  const shipped = files.filter((path) => path.includes("/") || !isTestCode(path));
  assert.deepEqual(
    shipped.filter((path) => roomOf(path) === undefined),
    [],
  );
  assert.deepEqual([...new Set(shipped.flatMap((path) => roomOf(path) ?? []))].sort(), Object.keys(rooms).sort());
});

test("no file is deeper in its room than the borders reach", () => {
  const folders = (path: string) => path.slice(roomOf(path)?.length).split("/").length - 2;
  assert.deepEqual(
    files.filter((path) => folders(path) > maxFolders),
    [],
  );
});

for (const [name, { imports: allowed, pure }] of Object.entries(rooms)) {
  const own = imports.filter(({ from }) => roomOf(from) === name);
  test(`${name} uses each of its permissions to import`, () => {
    const used = (target: string) =>
      own.some(({ to, isPackage }) => !isPackage && (to === target || roomOf(to) === target));
    assert.deepEqual(
      allowed.filter((target) => !used(target)),
      [],
    );
    const isUsed = (path: string) =>
      own.some(({ to, isPackage }) => isPackage && (to === path || to.startsWith(`${path}/`)));
    assert.deepEqual(
      Object.keys(pure ?? {}).filter((path) => !isUsed(path)),
      [],
    );
    assert.deepEqual(allowed, allowed.toSorted());
  });
}

test("rooms do not import each other in a cycle", () => {
  const cycles = (path: readonly string[]): readonly string[] => {
    const name = path.at(-1) ?? "";
    if (path.indexOf(name) < path.length - 1) return [path.join(" -> ")];
    return (rooms[name]?.imports ?? []).flatMap((next) => cycles([...path, next]));
  };
  assert.deepEqual(
    Object.keys(rooms).flatMap((name) => cycles([name])),
    [],
  );
});

test("a pure room imports only pure rooms, and single files of shells that import only types", () => {
  for (const [name, { imports: allowed, pure }] of Object.entries(rooms)) {
    const shells = allowed.filter((target) => rooms[target] !== undefined && rooms[target].pure === undefined);
    if (pure !== undefined) assert.deepEqual(shells, [], name);
  }
  for (const path of filesOfPureRooms) {
    const text = readFileSync(new URL(path, folder), "utf8");
    assert.doesNotMatch(text, /\bimport\s*\(|^(?:import|export)\s+(?!type\b)[^;]*\bfrom "|^import "/m, path);
  }
});

test("no comment switches a border off", () => {
  const isPure = (path: string) => filesOfPureRooms.includes(path) || rooms[roomOf(path) ?? ""]?.pure !== undefined;
  const shipped = globSync("{xds-server/src,filters/*/{src,tools},integration/src,envoy-configs/*/src}/**/*.ts", {
    cwd: root,
  }).filter((path) => !isTestCode(path));
  assert.ok(shipped.length > files.length / 2, `${shipped.length} files found`);
  const found = shipped.flatMap((path) => {
    const pure = path.startsWith(`${sourceFolder}/`) && isPure(path.slice(sourceFolder.length + 1));
    const text = readFileSync(new URL(path, root), "utf8");
    return forbiddenSuppressions(text, { pure }).map((comment) => `${path}: ${comment}`);
  });
  assert.deepEqual(found, []);
});

test("no configuration of the linter lies below the one of the repository", () => {
  const below = globSync("*/**/biome.json{,c}", { cwd: root, exclude: ["**/node_modules"] });
  assert.deepEqual(below, []);
});

test("each global of Node is either denied in pure rooms or known to be pure", () => {
  const known = new Set([...Object.keys(deniedGlobals), ...pureGlobals]);
  assert.deepEqual(
    Object.getOwnPropertyNames(globalThis).filter((name) => !known.has(name)),
    [],
  );
  assert.deepEqual(
    [...pureGlobals].filter((name) => name in deniedGlobals),
    [],
  );
});

test("each file that the table of rooms names exists", () => {
  for (const [name, { about }] of Object.entries(rooms)) {
    for (const [, path = ""] of about.matchAll(/`([\w.-]+(?:\.ts|\/))`/g)) {
      assert.ok(existsSync(new URL(`${name}/${path}`, folder)), `${name}/${path}`);
    }
  }
});
