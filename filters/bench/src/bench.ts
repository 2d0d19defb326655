import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildModules, type Job, jobs, modulePath } from "./modules.ts";
import { type Measured, table } from "./table.ts";

const usage = `npm run bench -w filters/bench -- --yardstick DIR --envoy BIN [options] [-- options of bench.mjs]

  --yardstick DIR   the folder with bench.mjs and suites/
  --envoy BIN       Envoy
  --peers DIR       modules of other SDKs, NAME_JOB.wasm with NAME rust, go, gcore or solo (peers.sh builds them)
  --only a,b        only these jobs
  --soak N          memory over N requests, for this SDK's modules only
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    yardstick: { type: "string" },
    envoy: { type: "string" },
    peers: { type: "string" },
    only: { type: "string" },
    soak: { type: "string" },
  },
});
if (values.yardstick === undefined || values.envoy === undefined) {
  process.stderr.write(usage);
  process.exit(2);
}
const { yardstick, envoy } = values;
const peers = ["rust", "go", "gcore", "solo"] as const;

interface Variant {
  readonly name: string;
  readonly filters?: unknown;
  readonly config?: string;
}

interface Suite {
  readonly variants: readonly Variant[];
}

const work = await mkdtemp(join(tmpdir(), "chancery-bench-"));
try {
  await buildModules(work);
  const measured = new Map<string, readonly Measured[]>();
  for (const job of jobs) {
    if (values.only !== undefined && !values.only.split(",").includes(job)) continue;
    for (const suite of job === "b" ? ["b", "bdeny"] : [job]) measured.set(suite, await measure(suite, job));
  }
  if (values.soak === undefined) process.stdout.write(`\n${table(measured)}`);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** Runs one suite of the yardstick. Our variants replace its own; Envoy's native filters stay. */
async function measure(name: string, job: Job): Promise<readonly Measured[]> {
  const suite = JSON.parse(await readFile(join(yardstick, "suites", `${name}.json`), "utf8")) as Suite;
  const native = suite.variants.filter(({ filters }) => filters !== undefined);
  const config = suite.variants[0]?.config ?? "";
  const own = ["chancery", "chancery with fuel", ...(values.soak === undefined ? ["hand"] : [])];
  const variants = [
    ...own.map((variant) => ({ name: variant, wasm: modulePath(work, variant, job), root_id: "x", config })),
    ...(values.soak === undefined ? peers : []).map((peer) => ({
      name: peer,
      wasm: modulePath(resolve(values.peers ?? "."), peer, job),
      root_id: "x",
      // Its modules do not load without a configuration.
      config: peer === "solo" && config === "" ? "x" : config,
    })),
  ].filter(({ wasm }) => existsSync(wasm));
  const file = join(work, `${name}.json`);
  const result = join(work, `${name}.result.json`);
  await writeFile(
    file,
    JSON.stringify({ ...suite, variants: values.soak === undefined ? [...variants, ...native] : variants }),
  );
  const soak = values.soak === undefined ? [] : ["--soak", values.soak];
  await run(join(yardstick, "bench.mjs"), file, "--envoy", envoy, "--json", result, ...soak, ...positionals);
  return (JSON.parse(await readFile(result, "utf8")) as { readonly result: readonly Measured[] }).result;
}

async function run(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const code = await new Promise<number | null>((done) => child.on("exit", done));
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`);
}
