import { stringify } from "yaml";

/** One line of a difference: kept (" "), removed ("-") or added ("+"). */
export interface DiffLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** The maximum product of the two numbers of lines. Longer texts are shown as one removed and one added block. */
const maxCells = 4_000_000;
/** The number of equal lines shown before and after a difference. */
const context = 3;

/** The differences between the YAML of two values. Undefined is a value that does not exist. */
export function yamlDiff(before: unknown, after: unknown): readonly DiffLine[] {
  const lines = (value: unknown) => (value === undefined ? [] : stringify(value).trimEnd().split("\n"));
  return nearDifferences(lineDiff(lines(before), lines(after)));
}

/** The shortest edit from one list of lines to another (longest common subsequence). */
function lineDiff(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const removed = before.map((text): DiffLine => ({ sign: "-", text }));
  const added = after.map((text): DiffLine => ({ sign: "+", text }));
  if (before.length * after.length > maxCells) return [...removed, ...added];
  // common[i][j]: the length of the longest common subsequence of before from line i on and of after from line j on.
  const common = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (row: number, column: number): number => common[row]?.[column] ?? 0;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      const best =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
      common[row]?.fill(best, column, column + 1);
    }
  }
  const lines: DiffLine[] = [];
  let row = 0;
  let column = 0;
  for (const [index, text] of before.entries()) {
    while (column < after.length && text !== after[column] && at(row, column + 1) > at(row + 1, column)) {
      lines.push(...added.slice(column, ++column));
    }
    if (text === after[column]) {
      lines.push({ sign: " ", text });
      column++;
    } else lines.push(...removed.slice(index, index + 1));
    row++;
  }
  return [...lines, ...added.slice(column)];
}

function nearDifferences(lines: readonly DiffLine[]): readonly DiffLine[] {
  const differs = lines.map(({ sign }) => sign !== " ");
  return lines.filter((_, index) => differs.slice(Math.max(0, index - context), index + context + 1).includes(true));
}
