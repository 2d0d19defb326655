/** Longer texts are not compared, because the work grows with the product of the lengths. */
const maxLength = 256;

/** The candidate that the writer of a mistyped text most likely meant, or undefined when no candidate is near. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > maxLength) return undefined;
  const wanted = written.toLowerCase();
  // A third of the letters may differ, and at least one.
  let best = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= best || candidate.length > maxLength) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), best);
    if (distance >= best) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

/** `did you mean "cart"?`, or undefined when no candidate is near. */
export function didYouMean(written: string, candidates: Iterable<string>): string | undefined {
  const meant = nearest(written, candidates);
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
}

/**
 * The number of letters to change, insert, remove or swap (optimal string alignment). Returns `limit` as soon as the
 * distance cannot be smaller.
 */
function editDistance(from: string, to: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const cost = Math.min(
        at(last, column - 1) + (same ? 0 : 1),
        at(last, column) + 1,
        at(current, column - 1) + 1,
        isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
      current.push(cost);
      least = Math.min(least, cost);
    }
    if (least >= limit) return limit;
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
