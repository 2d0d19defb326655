import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
  type YAMLError,
  type YAMLMap,
  type Document as YamlDocument,
} from "yaml";
import type { Path } from "./path.ts";
import type { TextFault } from "./text-fault.ts";

/** The values of the YAML documents in a text, without empty ones, or the faults of the text. */
export type ReadYaml =
  | { readonly ok: true; readonly values: readonly YamlValue[] }
  | { readonly ok: false; readonly faults: readonly TextFault[] };

export interface YamlValue {
  readonly value: unknown;
  /** The line at which a place in the value begins, from 1. For a missing place: the line of its nearest parent. */
  lineOf(path: Path): number;
}

export interface YamlLimits {
  /** The maximum number of aliases, nested ones counted at each use, so that a small text cannot expand into a huge value. */
  readonly maxAliases: number;
  /** The maximum nesting of lists and mappings. */
  readonly maxDepth: number;
}

/** Reads YAML, and therefore JSON, from an untrusted source. Ambiguous text and text of unbounded cost are faults. */
export function readYaml(text: string, limits: YamlLimits): ReadYaml {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  try {
    // The parser's own check for duplicate keys takes time quadratic to a mapping's length.
    const options = { lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false };
    const documents: YamlDocument[] = [...parseAllDocuments(text, options)];
    const faults = documents.flatMap((document) => {
      // The parser only warns of unknown tags. Their meaning is not known, so they are faults here.
      const errors = [...document.errors, ...document.warnings];
      return errors.length > 0 ? errors.map((error) => syntaxFault(error, lineAt)) : unsafe(document, limits, lineAt);
    });
    if (faults.length > 0) return { ok: false, faults };
    return { ok: true, values: documents.flatMap((document) => readValue(document, limits, lineAt)) };
  } catch (error) {
    // The parser throws a ReferenceError for an alias without an anchor and for too many aliases, and a RangeError when
    // nesting exhausts the stack.
    if (error instanceof RangeError) return { ok: false, faults: [tooDeep(1)] };
    if (!(error instanceof ReferenceError)) throw error;
    return { ok: false, faults: [{ what: "syntax", message: error.message, line: 1 }] };
  }
}

type LineAt = (offset: number) => number;

function syntaxFault({ code, message, pos }: YAMLError, lineAt: LineAt): TextFault {
  const line = lineAt(pos[0]);
  return code === "RESOURCE_EXHAUSTION" ? tooDeep(line) : { what: "syntax", message, line };
}

const tooDeep = (line: number): TextFault => ({ what: "too-deep", message: "it nests too deep", line });

/** The faults that the parser accepts: too deep nesting, too many aliases, duplicate keys, `__proto__`. */
function unsafe(document: YamlDocument, { maxAliases, maxDepth }: YamlLimits, lineAt: LineAt): readonly TextFault[] {
  const faults: TextFault[] = [];
  let aliases = 0;
  visit(document, {
    Alias(_key, node) {
      aliases += 1;
      if (aliases <= maxAliases) return undefined;
      faults.push({ what: "syntax", message: `it has more than ${maxAliases} aliases`, line: lineAt(startOf(node)) });
      return visit.BREAK;
    },
    Collection(_key, node, path) {
      if (path.filter(isCollection).length >= maxDepth) {
        faults.push(tooDeep(lineAt(startOf(node))));
        return visit.BREAK;
      }
      if (isMap(node)) faults.push(...keyFaults(node, lineAt));
      return undefined;
    },
  });
  return faults;
}

function keyFaults({ items }: YAMLMap, lineAt: LineAt): readonly TextFault[] {
  const seen = new Set<string>();
  return items.flatMap((pair: Pair): TextFault[] => {
    const key = keyOf(pair);
    const isTwice = seen.has(key);
    seen.add(key);
    if (!isTwice && key !== "__proto__") return [];
    const line = lineAt(startOf(pair.key));
    return isTwice
      ? [{ what: "duplicate-key", message: `the key ${JSON.stringify(key)} is given twice`, line, path: key }]
      : [{ what: "forbidden-key", message: `the key "${key}" is not allowed`, line, path: key }];
  });
}

function readValue(document: YamlDocument, { maxAliases }: YamlLimits, lineAt: LineAt): readonly YamlValue[] {
  const value: unknown = document.toJS({ maxAliasCount: maxAliases });
  if (value === null || value === undefined) return [];
  const pairsOf = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
  /** Finds the entry of a key. Indexed, because each of many entries may have a fault whose line is needed. */
  const pairIn = (map: YAMLMap, key: PropertyKey): Pair | undefined => {
    const pairs = pairsOf.get(map) ?? new Map(map.items.map((pair) => [keyOf(pair), pair]));
    pairsOf.set(map, pairs);
    return pairs.get(String(key));
  };
  const lineOf = (path: Path): number => {
    let node = document.contents as Node | null | undefined;
    let offset = startOf(node);
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = pairIn(node, step);
        if (pair === undefined) break;
        offset = startOf(pair.key, offset);
        node = pair.value as Node | null;
      } else if (isSeq(node) && typeof step === "number") {
        node = node.items[step] as Node | undefined;
        offset = startOf(node, offset);
      }
    }
    return lineAt(offset);
  };
  return [{ value, lineOf }];
}

const keyOf = ({ key }: Pair): string => String(isScalar(key) ? key.value : key);

/** The offset at which a node begins in the text. */
function startOf(node: unknown, otherwise = 0): number {
  return (node as Node | null | undefined)?.range?.[0] ?? otherwise;
}
