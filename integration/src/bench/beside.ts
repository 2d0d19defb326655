import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * Runs benchmarks of this folder with the server of this checkout and that of another checkout, in turns. Prints the
 * medians and their ratios. See bench/README.md.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { other: { type: "string" }, rounds: { type: "string", default: "3" } },
});
const rounds = Number(values.rounds);
if (values.other === undefined || positionals.length === 0 || !(rounds >= 1)) {
  throw new Error(
    "Usage: node beside.js --other CHECKOUT [--rounds N] BENCHMARK..., such as write-cost, burst or route-change",
  );
}
const sides = { other: path.resolve(values.other), this: fileURLToPath(new URL("../../..", import.meta.url)) };

/** Columns that name the case. All others are figures. */
const keyColumns = new Set(["variant", "documents", "documents a request"]);

/** The figures of each cell, by side, one for each round. */
type Figures = Map<string, Record<keyof typeof sides, number[]>>;

for (const benchmark of positionals) {
  const figures: Figures = new Map();
  for (let round = 1; round <= rounds; round++) {
    // The sides take turns at going first.
    const order = round % 2 === 1 ? (["other", "this"] as const) : (["this", "other"] as const);
    for (const side of order) {
      process.stderr.write(`${benchmark}: round ${round} of ${rounds}, ${side} checkout\n`);
      for (const [cell, figure] of measured(benchmark, sides[side])) {
        const known = figures.get(cell) ?? { other: [], this: [] };
        known[side].push(figure);
        figures.set(cell, known);
      }
    }
  }
  print(benchmark, figures);
}

/** The figures of one run, by "row, column". */
function measured(benchmark: string, checkout: string): ReadonlyMap<string, number> {
  const script = fileURLToPath(new URL(`./${benchmark}.js`, import.meta.url));
  const env = { ...process.env, CHANCERY_CHECKOUT: checkout };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${benchmark} failed in ${checkout}:\n${stderr}`);
  const [head = [], , ...rows] = stdout
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const cells = rows.flatMap((row) => {
    const key = row.filter((_, column) => keyColumns.has(head[column] ?? "")).join(" ");
    return row.flatMap((cell, column): [string, number][] =>
      keyColumns.has(head[column] ?? "") ? [] : [[`${key} | ${head[column]}`, Number(cell)]],
    );
  });
  return new Map(cells);
}

function print(benchmark: string, figures: Figures): void {
  process.stdout.write(`\n${benchmark}, medians of ${rounds} rounds\n\n`);
  process.stdout.write("| case | figure | other | this | this / other |\n| --- | --- | --: | --: | --: |\n");
  for (const [cell, { other, this: own }] of figures) {
    const [before, now] = [median(other), median(own)];
    const ratio = before === 0 ? (now === 0 ? "1" : "-") : (now / before).toFixed(2);
    process.stdout.write(`| ${cell} | ${rounded(before)} | ${rounded(now)} | ${ratio} |\n`);
  }
}

const rounded = (figure: number): number => Number(figure.toFixed(2));

function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
