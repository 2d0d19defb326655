import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isInstalled } from "./dependencies.mjs";

const lock = {
  "": { name: "workspace" },
  tool: { name: "@x/tool" },
  "node_modules/@x/tool": { resolved: "tool", link: true },
  "node_modules/yaml": { version: "2.9.1", integrity: "sha512-a" },
  "node_modules/other-platform": { version: "1.0.0", integrity: "sha512-b", optional: true },
};
const installed = {
  tool: { name: "@x/tool" },
  "node_modules/@x/tool": { resolved: "tool", link: true },
  "node_modules/yaml": { version: "2.9.1", integrity: "sha512-a" },
};

const cases = [
  ["every locked package is installed", installed, true],
  ["there is no node_modules", undefined, false],
  ["a package is missing", { "node_modules/@x/tool": installed["node_modules/@x/tool"] }, false],
  [
    "a package has another version",
    { ...installed, "node_modules/yaml": { version: "2.9.0", integrity: "sha512-a" } },
    false,
  ],
  [
    "a package has other content",
    { ...installed, "node_modules/yaml": { version: "2.9.1", integrity: "sha512-c" } },
    false,
  ],
  ["a workspace is not linked", { ...installed, "node_modules/@x/tool": { version: "1.0.0" } }, false],
];

for (const [name, record, expected] of cases) {
  test(`${expected ? "does not install" : "installs"} when ${name}`, (t) => {
    const root = mkdtempSync(join(tmpdir(), "chancery-lock-"));
    t.after(() => rmSync(root, { recursive: true }));
    writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: lock }));
    if (record !== undefined) {
      mkdirSync(join(root, "node_modules"));
      writeFileSync(join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages: record }));
    }
    assert.equal(isInstalled(root), expected);
  });
}
