import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { checked, staticChecks } from "./checks.ts";
import { type Part, partNamed, partNames, projects } from "./parts.ts";
import { printed } from "./printed.ts";
import { ran } from "./ran.ts";
import { compiled, testFiles } from "./test-files.ts";

/** The script of `npm run check`: format, lint, types, unused code and fast tests, of everything or of the named parts. */
const root = process.cwd();
const usage = `Usage: npm run check -- [--slow] [PART...]
  PART    a folder, such as compile, xds-server/src/protocol or filters/redact; everything when none is given
  --slow  also the tests that compile filters, start programs or take seconds`;

process.exitCode = await check(process.argv.slice(2));

async function check(args: readonly string[]): Promise<number> {
  const options = parsed(args);
  if (options === undefined) return 2;
  const { parts, slow } = options;
  const began = performance.now();
  const results = await Promise.all(staticChecks(parts).map(([title, command]) => checked(root, title, command)));
  const tested = await test(parts, slow);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const good = tested && results.every((result) => result);
  printed(good ? `check: good in ${seconds} s` : `check: FAILED in ${seconds} s`);
  return good ? 0 : 1;
}

function parsed(args: readonly string[]): { readonly parts: readonly Part[]; readonly slow: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { slow: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    const parts = positionals.map((name) => partNamed(root, name) ?? name);
    const unknown = parts.filter((part) => typeof part === "string");
    if (unknown.length === 0) return { parts: parts.filter((part) => typeof part !== "string"), slow: values.slow };
    printed(
      `Cannot check ${unknown.map((name) => `"${name}"`).join(", ")}: no folder of that name has code to check. Generated and built code is not checked.`,
    );
    printed(`Parts are: ${partNames(root).join(", ")}; and each folder inside of them.`);
  } catch (error) {
    printed(error instanceof Error ? error.message : String(error));
    printed(usage);
  }
  return undefined;
}

/** Runs tests from their sources, against the sources of the packages. Tests of integration/ use the built packages. */
async function test(parts: readonly Part[], slow: boolean): Promise<boolean> {
  const folders = parts.length === 0 ? projects(root) : parts.map(({ folder }) => folder);
  const { run, left } = testFiles({ root, folders, slow });
  const unit = run.filter((path) => !path.startsWith("integration/"));
  const integration = run.filter((path) => path.startsWith("integration/"));
  const good = [
    await tested(unit, ["--conditions=chancery-source"]),
    await tested(integration.map(compiled), ["--enable-source-maps"]),
  ];
  if (run.length === 0) printed(`${folders.join(", ")}: no ${slow ? "" : "fast "}tests`);
  if (left.length > 0 && parts.length > 0) printed(`${left.length} slow test files were left out; --slow runs them`);
  return good.every((each) => each);
}

async function tested(files: readonly string[], flags: readonly string[]): Promise<boolean> {
  if (files.length === 0) return true;
  const env = { ...process.env, NODE_OPTIONS: [process.env["NODE_OPTIONS"], ...flags].filter(Boolean).join(" ") };
  const args = ["--test", `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`, ...files];
  const { code } = await ran("node", args, { cwd: root, env, output: "shown" });
  return code === 0;
}
