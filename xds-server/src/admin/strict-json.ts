import type { TextFault } from "../reading/text-fault.ts";

/** A fault that JSON.parse ignores. */
interface JsonFault {
  readonly what: Exclude<TextFault["what"], "syntax">;
  /** "spec.routes[2].cluster". */
  readonly path: string;
}

/** An open object or array during the scan. */
interface Container {
  /** The keys seen so far. Absent in an array. */
  readonly keys?: Set<string>;
  /** The key or index that is being read. */
  at: string | number;
}

/**
 * Finds faults that `JSON.parse` ignores: a key that is given twice, the key `__proto__`, and nesting deeper than
 * `maxDepth`. `text` must be valid JSON. Stops at the first place that is nested too deep.
 */
export function findJsonFaults(text: string, maxDepth: number): readonly JsonFault[] {
  const faults: JsonFault[] = [];
  const open: Container[] = [];
  let keyNext = false;
  for (let at = 0; at < text.length; at++) {
    const inner = open.at(-1);
    switch (text[at]) {
      case "{":
        open.push({ keys: new Set(), at: "" });
        keyNext = true;
        break;
      case "[":
        open.push({ at: 0 });
        keyNext = false;
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case ",":
        keyNext = inner?.keys !== undefined;
        if (typeof inner?.at === "number") inner.at++;
        break;
      case ":":
        keyNext = false;
        break;
      case '"': {
        const end = stringEnd(text, at);
        if (keyNext && inner?.keys !== undefined) {
          const key: string = JSON.parse(text.slice(at, end + 1));
          inner.at = key;
          if (inner.keys.has(key)) faults.push({ what: "duplicate-key", path: pathOf(open) });
          if (key === "__proto__") faults.push({ what: "forbidden-key", path: pathOf(open) });
          inner.keys.add(key);
        }
        at = end;
        break;
      }
    }
    if (open.length > maxDepth) return [...faults, { what: "too-deep", path: pathOf(open.slice(0, 5)) }];
  }
  return faults;
}

function stringEnd(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end;
}

function pathOf(open: readonly Container[]): string {
  return open.reduce((path, { at }) => {
    if (typeof at === "number") return `${path}[${at}]`;
    return path === "" ? at : `${path}.${at}`;
  }, "");
}
