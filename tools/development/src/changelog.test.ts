import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { released } from "./changelog.ts";

const entries = [
  { file: "a.md", text: "A first thing.\n" },
  { file: "b.md", text: "A second thing,\nin two lines.\n" },
];
const listed = "- A first thing.\n- A second thing,\n  in two lines.\n";

test("a release gets the entries in a section above the others", () => {
  assert.equal(
    released("# Changelog\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n", "0.2.0", "2026-12-01", entries),
    `# Changelog\n\n## 0.2.0 (2026-12-01)\n\n${listed}\n## 0.1.0 (2026-01-01)\n\n- Old.\n`,
  );
});

test("the existing section of a release gets the date, and the entries at its end", () => {
  assert.equal(
    released("# Changelog\n\n## 0.2.0 (not released)\n\n- Before.\n\n## 0.1.0 (x)\n", "0.2.0", "2026-12-01", entries),
    `# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- Before.\n${listed}\n## 0.1.0 (x)\n`,
  );
});

test("a version is released only once", () => {
  assert.throws(
    () => released("# Changelog\n\n## 0.2.0 (2026-01-01)\n", "0.2.0", "2026-12-01", entries),
    /has a section/,
  );
});

test("every entry in changelog/unreleased is a Markdown file that does not start with a dash", () => {
  const folder = path.join(import.meta.dirname, "../../../changelog/unreleased");
  for (const file of readdirSync(folder)) {
    assert.match(file, /^[a-z0-9-]+\.md$/);
    assert.match(readFileSync(path.join(folder, file), "utf8"), /^[A-Z`][^\n]/, `${file} begins with a sentence`);
  }
});
