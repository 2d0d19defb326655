import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLError,
  type Document as YamlDocument,
} from "yaml";
import type { Document } from "./document.ts";
import { type Locate, parseDocument } from "./document-parser.ts";
import type { Path } from "./path.ts";
import { boundedProblems, type Problem } from "./problem.ts";

export interface Parsed {
  /** The documents without a fault. */
  readonly documents: readonly Document[];
  readonly problems: readonly Problem[];
  /** Where each document came from, when that is known: "shop/edge.yaml:12". */
  readonly sources: ReadonlyMap<Document, string>;
}

export interface ParseOptions {
  /** The file, as problems name it. */
  readonly source?: string;
}

export interface YamlOptions extends ParseOptions {
  /** Longer texts are refused. 16 Mi characters when absent. */
  readonly maxLength?: number;
  /** How often aliases may repeat what they stand for, so that a small text cannot grow without end. 100 when absent. */
  readonly maxAliases?: number;
}

/** Reads documents from JSON values: one document, or a list of them. */
export function parseDocuments(input: unknown, { source }: ParseOptions = {}): Parsed {
  return collected(
    itemsOf(input).map(({ value }) => ({ value, locate: () => source })),
    [],
  );
}

/** Reads documents from YAML or JSON text: one or several YAML documents, each a document of ours or a list of them. */
export function parseYaml(text: string, options: YamlOptions = {}): Parsed {
  const { source, maxLength = 16 * 1024 * 1024, maxAliases = 100 } = options;
  const lines = new LineCounter();
  const lineOf = (offset: number): string | undefined =>
    source === undefined ? undefined : `${source}:${lines.linePos(offset).line}`;
  const refused = (code: string, cause: string, offset = 0): Problem => {
    const at = lineOf(offset);
    return {
      code,
      message: `Cannot read ${source ?? "the text"} as YAML: ${cause}`,
      path: "",
      ...(at === undefined ? {} : { source: at }),
    };
  };
  if (text.length > maxLength) return failed([refused("YAML_TOO_LARGE", `it is longer than ${maxLength} characters`)]);

  const items: Item[] = [];
  const problems: Problem[] = [];
  try {
    // One key twice, and tags that nobody resolves, are faults: what was meant cannot be known.
    for (const yaml of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })) {
      const faults = [...yaml.errors, ...yaml.warnings];
      problems.push(...faults.map((fault) => refused("YAML_INVALID", causeOf(fault), fault.pos[0])));
      if (faults.length > 0 || yaml.contents === null) continue;
      const value: unknown = yaml.toJS({ maxAliasCount: maxAliases });
      if (value === null) continue;
      for (const { value: item, path: prefix } of itemsOf(value)) {
        items.push({ value: item, locate: (path) => lineOf(offsetOf(yaml, [...prefix, ...path])) });
      }
    }
  } catch (error) {
    const cause = refusal(error);
    if (cause === undefined) throw error;
    return failed([refused("YAML_INVALID", cause)]);
  }
  return collected(items, problems);
}

const tooDeep = "it nests too deep";

const causeOf = ({ code, message }: YAMLError): string => (code === "RESOURCE_EXHAUSTION" ? tooDeep : message);

/** What the parser throws on purpose: on aliases without end or anchor, and when nesting exhausts the stack. */
function refusal(error: unknown): string | undefined {
  if (error instanceof RangeError) return tooDeep;
  return error instanceof ReferenceError ? error.message : undefined;
}

interface Item {
  readonly value: unknown;
  readonly locate: Locate;
}

const itemsOf = (input: unknown): { readonly value: unknown; readonly path: Path }[] =>
  Array.isArray(input) ? input.map((value, index) => ({ value, path: [index] })) : [{ value: input, path: [] }];

const failed = (problems: readonly Problem[]): Parsed => ({ documents: [], problems, sources: new Map() });

function collected(items: readonly Item[], earlier: readonly Problem[]): Parsed {
  const documents = new Map<string, Document>();
  const sources = new Map<Document, string>();
  const problems = [...earlier];
  for (const { value, locate } of items) {
    const parsed = parseDocument(value, locate);
    if (!parsed.ok) {
      problems.push(...parsed.problems);
      continue;
    }
    const { document } = parsed;
    const key = `${document.kind} ${document.name}`;
    const former = documents.get(key);
    const source = locate([]);
    if (former !== undefined) {
      problems.push(duplicate(document, sources.get(former), source));
      continue;
    }
    documents.set(key, document);
    if (source !== undefined) sources.set(document, source);
  }
  return { documents: [...documents.values()], problems: boundedProblems(problems), sources };
}

function duplicate({ kind, name }: Document, first: string | undefined, source: string | undefined): Problem {
  const where = first === undefined ? "" : `, first in ${first}`;
  return {
    code: "DOCUMENT_DUPLICATE",
    message: `Cannot read ${kind} "${name}": it is given twice${where}`,
    kind,
    name,
    path: "",
    hint: "keep one of the two, or rename one",
    ...(source === undefined ? {} : { source }),
  };
}

/** Where in the text a place in a document begins: the nearest key or entry on the way that is there. */
function offsetOf(yaml: YamlDocument.Parsed, path: Path): number {
  let node: Node | null | undefined = yaml.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(yaml);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    }
  }
  return offset;
}
