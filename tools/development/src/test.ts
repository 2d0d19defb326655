import { checked, staticChecks } from "./checks.ts";
import { projects } from "./parts.ts";
import { ran } from "./ran.ts";
import { compiled, testFiles } from "./test-files.ts";

/**
 * The script of `npm test`. Builds and lints everything, then runs every compiled test, also those with real Envoys. It
 * passes its arguments to Node's test runner, whose summary is printed last.
 */
const root = process.cwd();

process.exitCode = await test(process.argv.slice(2));

async function test(args: readonly string[]): Promise<number> {
  const results = await Promise.all(staticChecks([]).map(([title, command]) => checked(root, title, command)));
  if (!results.every((good) => good)) return 1;
  // The list is made from the sources, because compiled tests of moved files stay in dist/.
  const files = testFiles({ root, folders: projects(root), slow: true }).run.map(compiled);
  const env = { ...process.env, CHANCERY_MODEL_OPERATIONS: process.env["CHANCERY_MODEL_OPERATIONS"] ?? "100000" };
  const flags = ["--enable-source-maps", "--test", "--test-concurrency=2"];
  const { code } = await ran("node", [...flags, ...args, ...files], { cwd: root, env, output: "shown" });
  return code;
}
