import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { partNamed, partNames } from "./parts.ts";

const root = path.join(import.meta.dirname, "../../..");

test("a part is named by its folder, or by its name inside the server, the filters or the integration tests", () => {
  const compile = { folder: "xds-server/src/compile", projects: ["xds-server"] };
  for (const name of ["compile", "xds-server/src/compile", "xds-server/src/compile/", "./xds-server/src/compile"]) {
    assert.deepEqual(partNamed(root, name), compile);
  }
  const redact = { folder: "filters/redact", projects: ["filters/redact"] };
  assert.deepEqual([partNamed(root, "redact"), partNamed(root, "filters/redact")], [redact, redact]);
  assert.deepEqual(partNamed(root, "xds-server"), { folder: "xds-server", projects: ["xds-server"] });
  assert.equal(partNamed(root, "filters")?.projects.includes("filters/redact"), true);
});

test("only folders with code are parts", () => {
  const [gen, data, built] = ["xds-proto-ts/gen", "xds-server/src/compile/testdata", "tools/development/dist"];
  for (const name of ["nothing", "docs", "..", "", "xds-server/src/main.ts", gen, `${gen}/envoy`, data, built]) {
    assert.equal(partNamed(root, name), undefined, name);
  }
});

test("every name on the list is a part", () => {
  const names = partNames(root);
  assert.ok(names.includes("compile") && names.includes("filters/redact"));
  assert.deepEqual(
    names.filter((name) => partNamed(root, name) === undefined),
    [],
  );
});

test("npm run check lists the parts when one does not exist, and exits with 2", () => {
  const launcher = path.join(root, "xds-server/bin/launch.mjs");
  for (const args of [["compiler"], ["compile", "xds-proto-ts/gen"]]) {
    const { status, stdout } = spawnSync(process.execPath, [launcher, "check", ...args], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(status, 2, stdout);
    assert.match(stdout, /^Cannot check "[\w/-]+": .*\nParts are: .*\bcompile, .*\bfilters\/redact, /);
  }
});
