import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildFilter } from "@chancery/filter-sdk/build";
import { cacheFolder } from "@chancery/filter-sdk/build-cache";
import { withFuel } from "@chancery/filter-sdk/fuel";
import { type BenchedFilter, type BenchResult, benchFilters } from "@chancery/xds-server/filter-bench";
import { type ShippedFilter, shippedFilters } from "./shipped-filters.ts";

/** Measures the cost of each filter of this repository with a real Envoy. Prints a table in Markdown. */
const usage = `node filters/bench/dist/shipped.js [options]

  --only a,b        only these filters
  --rounds N        the number of rounds (default: 9)
  --round-ms N      the time in milliseconds that a round loads each listener (default: 1000)
  --no-fuel         use modules without fuel; a push adds fuel, and so does the bench by default
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "9" },
    "round-ms": { type: "string", default: "1000" },
    "no-fuel": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const roundMs = Number(values["round-ms"]);
if (values.help || !(rounds >= 1) || !(roundMs >= 1)) {
  process.stderr.write(usage);
  process.exit(2);
}

const work = await mkdtemp(join(tmpdir(), "chancery-bench-"));
try {
  const built: { readonly filter: BenchedFilter; readonly bytes: number }[] = [];
  for (const shipped of await shippedFilters()) built.push(await build(shipped));
  const only = values.only?.split(",") ?? built.map(({ filter }) => filter.name);
  const chosen = built.filter(({ filter }) => only.includes(filter.name));
  const results = await benchFilters(
    chosen.map(({ filter }) => filter),
    { rounds, roundMs },
  );
  process.stdout.write(
    "| filter | module bytes | added us a request | least to most | without it, us | ratio | answers |\n",
  );
  process.stdout.write(`|${" --- |".repeat(7)}\n`);
  for (const [index, { filter, bytes }] of chosen.entries()) {
    const result = results[index];
    if (result !== undefined) process.stdout.write(`| ${cells(filter.name, bytes, result).join(" | ")} |\n`);
  }
} finally {
  await rm(work, { recursive: true, force: true });
}

async function build({ folder, bench }: ShippedFilter): Promise<{ filter: BenchedFilter; bytes: number }> {
  const result = await buildFilter(folder, { cache: cacheFolder() });
  if (!result.ok) throw new Error(`Cannot build ${folder}:\n${result.errors.join("\n")}`);
  const { name } = result;
  const wasm = values["no-fuel"] ? result.wasm : withFuel(result.wasm).wasm;
  const wasmPath = join(work, `${name}.wasm`);
  await writeFile(wasmPath, wasm);
  return { filter: { ...bench, name, wasmPath }, bytes: wasm.byteLength };
}

/** A row of the table: medians of the rounds. The ratio compares a request with the filter to one without. */
function cells(name: string, bytes: number, { without, with: filtered, added, statuses }: BenchResult): string[] {
  const answers = Object.entries(statuses).sort(([, one], [, other]) => other - one);
  return [
    `\`${name}\``,
    String(bytes),
    added.median.toFixed(2),
    `${added.least.toFixed(2)} to ${added.most.toFixed(2)}`,
    without.median.toFixed(2),
    (filtered.median / without.median).toFixed(2),
    answers.map(([status]) => status).join(", "),
  ];
}
