import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";

/** Bytes from `from` on are now at `to`. */
export interface Moved {
  readonly from: number;
  readonly to: number;
}

/** A place in a source, counted from 1. */
export interface Place {
  /** "assembly/index.ts", or "~lib/..." for the library's own. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** The map of a module whose bytes were moved. The columns of a module's map are positions in the whole of it. */
export function movedMap(map: string, moved: readonly Moved[]): string {
  const parsed = JSON.parse(map) as SourceMap;
  const segments = (decode(parsed.mappings)[0] ?? []).map((segment): SourceMapSegment => {
    const piece = lastAtOrBefore(moved, segment[0], ({ from }) => from);
    const column = piece === undefined ? segment[0] : segment[0] - piece.from + piece.to;
    return [column, ...segment.slice(1)] as unknown as SourceMapSegment;
  });
  return JSON.stringify({ ...parsed, mappings: encode([segments]) });
}

/** Part of a module: a function's body. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Answers which place of the sources a position in the module comes from. What the compiler gave no place to has that of
 * what comes before it in the same function, or after it where `after` is wished; else the other. Only places in sources
 * that are `wanted` count.
 */
export function placeFinder(
  map: string,
  wanted: (file: string) => boolean,
): (position: number, within: Range, after: boolean) => Place | undefined {
  const { sources, mappings } = JSON.parse(map) as SourceMap;
  const segments = decode(mappings)[0] ?? [];
  const placed = segments.filter((segment) => segment[1] !== undefined && wanted(sources[segment[1]] ?? ""));
  return (position, { start, end }, after) => {
    const exact = lastAtOrBefore(segments, position, ([column]) => column);
    const before = lastAtOrBefore(placed, position, ([column]) => column);
    const next = placed[before === undefined ? 0 : placed.indexOf(before) + 1];
    const near = [before, next].filter((each) => each !== undefined && each[0] >= start && each[0] < end);
    const found = exact !== undefined && exact.length > 1 && exact === before ? near[0] : near.at(after ? -1 : 0);
    if (found === undefined || found.length === 1) return undefined;
    const [, source, line, column] = found;
    return { file: sources[source] ?? "", line: line + 1, column: column + 1 };
  };
}

/** By bisection in what is sorted by the position. */
function lastAtOrBefore<T>(sorted: readonly T[], position: number, of: (each: T) => number): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const each = sorted[middle];
    if (each !== undefined && of(each) <= position) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
