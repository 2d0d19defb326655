// The script of `npm run up`, `npm test`, `npm run check` and `npm run test:long`. Installs the dependencies and builds what is
// missing. Plain JavaScript for Node 18 or newer.
import { fileURLToPath } from "node:url";
import { run } from "./child.mjs";
import { installDependencies } from "./dependencies.mjs";
import { environmentFor, rerunOnSupportedNode } from "./node-runtime.mjs";
import { Failure, reportFailure, withProgress } from "./progress.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The arguments of `npm run up`. Arguments of the user follow them. */
const shop = [
  ["--config", "envoy-configs/shop"],
  ...[
    ["catalog", 9001],
    ["cart", 9002],
    ["cart-v2", 9003],
  ].map(([name, port]) => [
    "--run",
    `node envoy-configs/shop-services/dist/main.js --name ${name} --listen 127.0.0.1:${port}`,
  ]),
  ["--try", "curl localhost:10000/cart"],
  ["--try", "npx chancery apply -f envoy-configs/examples/weights.yaml"],
  ["--try", "npx chancery filter push filters/request-policy --to shop-edge"],
].flat();

const commands = {
  async up(args) {
    await withProgress("Building", build);
    const chancery = new URL("./chancery.mjs", import.meta.url);
    process.argv = [process.execPath, fileURLToPath(chancery), "up", ...shop, ...args];
    await import(chancery.href);
  },
  test: (args) => runScript("test", args),
  check: (args) => runScript("check", args),
  "test:long": (args) => runScript("test-long", args),
};

/** Runs a script of tools/development with this Node, and exits with its exit code; `node --run` would make 1 of each code. */
async function runScript(name, args) {
  const { code } = await run(process.execPath, [`tools/development/src/${name}.ts`, ...args], { cwd: root });
  process.exitCode = code;
}

async function build() {
  const { code, output } = await run(process.execPath, ["--run", "build"], { cwd: root, quiet: true });
  if (code !== 0) throw new Failure(`Cannot build:\n${output.trim()}`);
}

async function launch([name, ...args]) {
  const command = commands[name];
  if (command === undefined) throw new Failure("Usage: node launch.mjs up|test|check|test:long [arguments]");
  const exitCode = await rerunOnSupportedNode(fileURLToPath(import.meta.url), [name, ...args]);
  if (exitCode !== undefined) {
    process.exitCode = exitCode;
    return;
  }
  process.chdir(root);
  process.env.PATH = environmentFor(process.execPath).PATH;
  await installDependencies(root, process.env);
  await command(args);
}

await launch(process.argv.slice(2)).catch(reportFailure);
