/** The result of bench.mjs for one variant in one suite. */
export interface Measured {
  readonly name: string;
  /**
   * The CPU microseconds that the filter adds to a request, from the quiet rounds. Absent when nothing was measured.
   */
  readonly addedFloor?: number;
  /** The same as the median of all rounds. */
  readonly addedMedian?: number;
}

const baseline = "no filter";
const own = "chancery";

/**
 * A table in Markdown, with a row for each variant and a column for each suite. In brackets is the ratio of ours to the
 * row.
 */
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
