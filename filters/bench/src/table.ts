/** What bench.mjs found of one variant in one suite. */
export interface Measured {
  readonly name: string;
  /** CPU microseconds a request over no filter, of the quiet rounds; absent when nothing was measured. */
  readonly addedFloor?: number;
  /** The same, the median of all rounds. */
  readonly addedMedian?: number;
}

const baseline = "no filter";
const own = "chancery";

/** A table in Markdown: a row a variant, a column a suite, each with what it adds and the ratio of ours to it. */
export function table(measured: ReadonlyMap<string, readonly Measured[]>): string {
  const names = new Set([...measured.values()].flat().map(({ name }) => name));
  names.delete(baseline);
  const suites = [...measured.keys()];
  const rows = [...names].map((name) => {
    const cells = suites.map((suite) => cell(measured.get(suite) ?? [], name));
    return `| ${name} | ${cells.join(" | ")} |\n`;
  });
  return `| added us (${own} / it) | ${suites.join(" | ")} |\n|${" --- |".repeat(suites.length + 1)}\n${rows.join("")}`;
}

function cell(variants: readonly Measured[], name: string): string {
  const added = variants.find((variant) => variant.name === name)?.addedFloor;
  const ours = variants.find((variant) => variant.name === own)?.addedFloor;
  if (added === undefined || ours === undefined) return "";
  return name === own ? added.toFixed(2) : `${added.toFixed(2)} (${(ours / added).toFixed(2)})`;
}
