const maxEdits = 2;
const maxLength = 128;

/** The candidate that is most similar to a misspelt word; undefined when none is similar. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > maxLength) return undefined;
  const spelled = plain(word);
  const same = candidates.find((candidate) => plain(candidate) === spelled);
  if (same !== undefined) return same;
  // A short word allows fewer edits, because two edits can turn a word of three letters into many others.
  let closest = Math.min(maxEdits, Math.floor(word.length / 2) - 1) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    const edits = Math.abs(candidate.length - word.length) < closest ? distance(word, candidate) : closest;
    if (edits >= closest) continue;
    closest = edits;
    found = candidate;
  }
  return found;
}

function plain(word: string): string {
  return word.replaceAll(/[-_]/g, "").toLowerCase();
}

/** The number of letters to insert, delete or replace to turn one word into the other (Levenshtein distance). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const exchanged = at(row, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(at(next, j - 1) + 1, at(row, j) + 1, exchanged));
    }
    row = next;
  }
  return at(row, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
