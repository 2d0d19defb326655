import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { repository } from "../harness/server-process.ts";
import { goalOf, measures } from "./xds-load-goals.ts";
import { builtYardstick } from "./yardstick.ts";

/**
 * Measures two servers in turns with the yardstick `xds-load`: this server and go-control-plane, with `--workers N` this
 * server with N workers and in one process, or with `--other CHECKOUT` this checkout and another. See bench/README.md.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { yardstick: { type: "string" }, workers: { type: "string" }, other: { type: "string" } },
});
const yardstick = builtYardstick(values.yardstick);
const results = mkdtempSync(path.join(tmpdir(), "xds-load-results-"));
const oneProcess = path.join(repository, "integration/bench/xds-load.json");
const { reference, measured, adapters, heading, hasGoals } = comparison();
const args = [
  ...adapters.flatMap((file) => ["--adapter", file]),
  "--bin",
  path.join(yardstick, "bin"),
  "--out",
  results,
];
const { status } = spawnSync(path.join(yardstick, "bin/xds-bench"), [...args, ...positionals], {
  cwd: repository,
  stdio: "inherit",
});
printRatios();
rmSync(results, { recursive: true });
process.exitCode = status ?? 1;

/** The measured server, and the reference that it is compared with. */
function comparison() {
  if (values.workers !== undefined) {
    const workers = variant("workers", ({ start }) => ({ start: `${start} --workers ${values.workers}` }));
    const heading = `${values.workers} workers divided by one process`;
    return { reference: "chancery", measured: "workers", adapters: [oneProcess, workers], heading, hasGoals: false };
  }
  if (values.other !== undefined) {
    const dir = path.resolve(values.other);
    const adapters = [variant("other", () => ({ dir })), oneProcess];
    const heading = "This checkout divided by the other one";
    return { reference: "other", measured: "chancery", adapters, heading, hasGoals: false };
  }
  const peer = path.join(yardstick, "adapters/gcp-linear.json");
  const heading = "This server divided by go-control-plane (in brackets: the goal)";
  return { reference: "gcp-linear", measured: "chancery", adapters: [peer, oneProcess], heading, hasGoals: true };
}

/** Writes a copy of this server's adapter file with some fields changed. Returns its path. */
function variant(name: string, changed: (adapter: { readonly start: string }) => object): string {
  const adapter = JSON.parse(readFileSync(oneProcess, "utf8"));
  const file = path.join(results, `${name}.json`);
  writeFileSync(file, JSON.stringify({ ...adapter, name, ...changed(adapter) }));
  return file;
}

/** One run of one server, as `xds-load` writes it. */
interface Result {
  readonly config: { readonly streams: number; readonly expect_clusters: number; readonly mode: string };
  readonly ok: boolean;
}

/** Prints the ratios of the figures to the reference's, with their goals. Each ratio is a median over the rounds. */
function printRatios(): void {
  const ratios = new Map<string, number[][]>();
  for (const file of readdirSync(results)
    .filter((name) => name.startsWith(`${reference}-`))
    .sort(inCellOrder)) {
    const other = path.join(results, file.replace(reference, measured));
    if (!existsSync(other)) continue;
    const [theirs, ours] = [path.join(results, file), other].map((name) => JSON.parse(readFileSync(name, "utf8")));
    if (theirs.ok !== true || ours.ok !== true) continue;
    const { streams, expect_clusters: clusters, mode } = (theirs as Result).config;
    for (const [index, { kind }] of theirs.kinds.entries()) {
      const row = `${streams} | ${clusters} | ${mode} | ${kind}`;
      const values = measures.map(({ of }) => of(ours, index) / of(theirs, index));
      ratios.set(row, [...(ratios.get(row) ?? []), values]);
    }
  }
  process.stdout.write(`\n${heading}; below 1 the first needs less.\n\n`);
  process.stdout.write(`| streams | clusters | mode | update | ${measures.map(({ name }) => name).join(" | ")} |\n`);
  process.stdout.write(`|--:|--:|---|---|${measures.map(() => "--:|").join("")}\n`);
  for (const [row, rounds] of ratios) {
    const [streams, clusters, , kind = ""] = row.split(" | ");
    const cells = measures.map(({ goal }, at) => {
      const ratio = median(rounds.map((values) => values[at] ?? Number.NaN));
      if (!hasGoals) return ratio.toFixed(2);
      const limit = goalOf(goal, { streams: Number(streams), clusters: Number(clusters), kind });
      return `${ratio <= limit ? "" : "**"}${ratio.toFixed(2)}${ratio <= limit ? "" : "**"} (${limit.toFixed(2)})`;
    });
    process.stdout.write(`| ${row} | ${cells.join(" | ")} |\n`);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = low] =
    sorted.length % 2 === 1 ? [sorted[middle]] : sorted.slice(middle - 1, middle + 1);
  return (low + high) / 2;
}

/** Sorts names of result files: streams, clusters, mode and round, joined by "-". */
function inCellOrder(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
