import type { Path } from "./path.ts";

/** A fault at a place, before it is known which document and file it belongs to. */
export interface Fault {
  readonly code: string;
  readonly path: Path;
  readonly message: string;
  readonly found?: string;
  readonly hint?: string;
}

/** Nothing in Envoy's API nests as deep, and what reads it goes down by recursion. */
const maxDepth = 96;

/**
 * What keeps a value from being plain JSON that is safe to walk and to copy: nesting without end, keys that JavaScript
 * takes for something else, numbers that JSON cannot write. Everything after this may trust it.
 */
export function shapeFaults(value: unknown, path: Path = []): Fault[] {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return [{ code: "FIELD_VALUE", path, message: "must be a finite number", found: String(value) }];
  }
  if (typeof value !== "object" || value === null) return [];
  if (path.length >= maxDepth) {
    return [
      { code: "DOCUMENT_TOO_DEEP", path: path.slice(0, 8), message: `must not nest deeper than ${maxDepth} levels` },
    ];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => shapeFaults(item, [...path, index]));
  return Object.entries(value).flatMap(([key, item]): Fault[] =>
    key === "__proto__"
      ? [{ code: "FIELD_UNKNOWN", path: [...path, key], message: 'must not be called "__proto__"' }]
      : shapeFaults(item, [...path, key]),
  );
}
