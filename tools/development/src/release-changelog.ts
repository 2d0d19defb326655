import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { released } from "./changelog.ts";
import { printed } from "./printed.ts";

/** `node tools/development/src/release-changelog.ts VERSION DATE` moves the entries of changelog/unreleased into CHANGELOG.md. */
const root = path.join(import.meta.dirname, "../../..");
const unreleased = path.join(root, "changelog/unreleased");
const [version = "", date = ""] = process.argv.slice(2);

if (!/^\d+\.\d+\.\d+$/.test(version) || !/^\d{4}-\d{2}-\d{2}$/.test(date)) {
  printed("Usage: node tools/development/src/release-changelog.ts VERSION DATE, such as 0.2.0 2026-12-01");
  process.exitCode = 2;
} else {
  const files = existsSync(unreleased) ? readdirSync(unreleased).sort() : [];
  const entries = files.map((file) => ({ file, text: readFileSync(path.join(unreleased, file), "utf8") }));
  const page = path.join(root, "CHANGELOG.md");
  writeFileSync(page, released(readFileSync(page, "utf8"), version, date, entries));
  for (const file of files) rmSync(path.join(unreleased, file));
  printed(`${entries.length} entries are in CHANGELOG.md under ${version}`);
}
