import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";

/** The bytes that began at `from` now begin at `to`. */
export interface Moved {
  readonly from: number;
  readonly to: number;
}

/** A place in a source. Line and column count from 1. */
export interface Place {
  /** "assembly/index.ts", or "~lib/..." for a file of a library. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** Adapts the source map of a module whose bytes were moved. The columns of such a map are positions in the module. */
export function movedMap(map: string, moved: readonly Moved[]): string {
  const parsed = JSON.parse(map) as SourceMap;
  const segments = (decode(parsed.mappings)[0] ?? []).map((segment): SourceMapSegment => {
    const piece = lastAtOrBefore(moved, segment[0], ({ from }) => from);
    const column = piece === undefined ? segment[0] : segment[0] - piece.from + piece.to;
    return [column, ...segment.slice(1)] as unknown as SourceMapSegment;
  });
  return JSON.stringify({ ...parsed, mappings: encode([segments]) });
}

/** A part of a module: the body of a function. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns a function that finds the source place of a position in the module. When the compiler recorded no place for
 * the position, it uses the nearest place before it in the same function, or with `after` the nearest place after it.
 * When there is none on that side, it uses the other side. Only places in `wanted` sources count.
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

/** Finds by bisection the last element at or before a position. The elements must be sorted by position. */
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
