import type { Fault } from "../model/problem.ts";
import type { Path } from "./path.ts";

/** A fault at a place, still without its document and file. */
export interface DocumentFault extends Omit<Fault, "path"> {
  readonly path: Path;
}

/** No message of Envoy's API needs deeper nesting. The limit exists because later code walks a value by recursion. */
const maxDepth = 96;

/**
 * Why a value is not plain JSON that is safe to walk and copy: too deep nesting, the key `__proto__`, numbers that JSON
 * cannot write. Later code relies on this check.
 */
export function shapeFaults(value: unknown, path: Path = []): DocumentFault[] {
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
  return Object.entries(value).flatMap(([key, item]): DocumentFault[] =>
    key === "__proto__"
      ? [{ code: "FIELD_UNKNOWN", path: [...path, key], message: 'must not be called "__proto__"' }]
      : shapeFaults(item, [...path, key]),
  );
}
