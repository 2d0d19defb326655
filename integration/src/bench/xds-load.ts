import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { repository } from "../harness/server-process.ts";
import { goalOf, measures } from "./xds-load-goals.ts";
import { builtYardstick } from "./yardstick.ts";

/**
 * Measures this server and go-control-plane in turns, with the yardstick `xds-load`. With `--workers N` it measures this
 * server with N workers and in one process instead. See bench/README.md.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { yardstick: { type: "string" }, workers: { type: "string" } },
});
const yardstick = builtYardstick(values.yardstick);
const results = mkdtempSync(path.join(tmpdir(), "xds-load-results-"));
const oneProcess = path.join(repository, "integration/bench/xds-load.json");
const { reference, measured, adapters } =
  values.workers === undefined
    ? {
        reference: "gcp-linear",
        measured: "chancery",
        adapters: [path.join(yardstick, "adapters/gcp-linear.json"), oneProcess],
      }
    : { reference: "chancery", measured: "workers", adapters: [oneProcess, withWorkers(values.workers)] };
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

/** Writes the adapter of this server with workers. The time and the memory of the workers count too. */
function withWorkers(count: string): string {
  const adapter = JSON.parse(readFileSync(oneProcess, "utf8"));
  const file = path.join(results, "adapter.json");
  writeFileSync(file, JSON.stringify({ ...adapter, name: "workers", start: `${adapter.start} --workers ${count}` }));
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
  const hasGoals = values.workers === undefined;
  process.stdout.write(
    hasGoals
      ? "\nThis server divided by go-control-plane (in brackets: the goal); below 1 this server needs less.\n\n"
      : `\n${values.workers} workers divided by one process; below 1 the workers need less.\n\n`,
  );
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
