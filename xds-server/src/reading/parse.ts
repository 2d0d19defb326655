import type { Document } from "../model/document.ts";
import { boundedProblems, type Problem, problemOf } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { type Locate, parseDocument } from "./document-parser.ts";
import { readYaml } from "./yaml.ts";

export interface Parsed {
  /** The documents without a fault. */
  readonly documents: readonly Document[];
  readonly problems: readonly Problem[];
  /** The source of each document: "shop/edge.yaml:12". Documents without a known source are not in the map. */
  readonly sources: ReadonlyMap<Document, string>;
}

export interface ParseOptions {
  /** The name of the file, for problems and `sources`. Absent when the text or value does not come from a file. */
  readonly source?: string;
}

export interface YamlOptions extends ParseOptions {
  /** The maximum length of the text, in characters. 16 Mi when absent. */
  readonly maxLength?: number;
  /** The maximum number of aliases, nested ones counted at each use, so that a small text cannot expand into a huge value. 100 when absent. */
  readonly maxAliases?: number;
}

/** Reads documents from JSON values: one document, or a list of them. */
export function parseDocuments(input: unknown, { source }: ParseOptions = {}): Parsed {
  return collected(itemsOf(input).map(({ value }) => ({ value, locate: () => source })));
}

/** Reads documents from YAML or JSON text. Each YAML document holds one `Document` or a list of them. */
export function parseYaml(text: string, options: YamlOptions = {}): Parsed {
  const { source, maxLength = defaultMaxLength, maxAliases = defaultMaxAliases } = options;
  const at = (line: number): string | undefined => (source === undefined ? undefined : `${source}:${line}`);
  const rejected = (code: ProblemCode, message: string, line = 1): Problem =>
    problemOf({ code, message }, { action: `Cannot read ${source ?? "the text"} as YAML`, source: at(line) });
  if (text.length > maxLength) return failed([rejected("YAML_TOO_LARGE", `it is longer than ${maxLength} characters`)]);

  const read = readYaml(text, { maxAliases, maxDepth });
  if (!read.ok) {
    return failed(boundedProblems(read.faults.map(({ message, line }) => rejected("YAML_INVALID", message, line))));
  }
  return collected(
    read.values.flatMap(({ value, lineOf }) =>
      itemsOf(value).map(({ value: item, path: prefix }): Item => {
        return { value: item, locate: (path) => at(lineOf([...prefix, ...path])) };
      }),
    ),
  );
}

const defaultMaxLength = 16 * 1024 * 1024;
const defaultMaxAliases = 100;
/** The maximum nesting of the YAML text. shape.ts has the smaller limit of a document, and reports the place. */
const maxDepth = 1000;

interface Item {
  readonly value: unknown;
  readonly locate: Locate;
}

const itemsOf = (input: unknown): { readonly value: unknown; readonly path: readonly number[] }[] =>
  Array.isArray(input) ? input.map((value, index) => ({ value, path: [index] })) : [{ value: input, path: [] }];

const failed = (problems: readonly Problem[]): Parsed => ({ documents: [], problems, sources: new Map() });

function collected(items: readonly Item[]): Parsed {
  const documents = new Map<string, Document>();
  const sources = new Map<Document, string>();
  const problems: Problem[] = [];
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
      problems.push(duplicateDocument(document, sources.get(former), source));
      continue;
    }
    documents.set(key, document);
    if (source !== undefined) sources.set(document, source);
  }
  return { documents: [...documents.values()], problems: boundedProblems(problems), sources };
}

/** The problem of a document that appears twice. `first` is the source of its first appearance, if that is known. */
export function duplicateDocument(
  { kind, name }: Document,
  first: string | undefined,
  source: string | undefined,
): Problem {
  const where = first === undefined ? "" : `, first in ${first}`;
  return problemOf(
    {
      code: "DOCUMENT_DUPLICATE",
      message: `it is given twice${where}`,
      hint: "keep one of the two, or rename one",
    },
    { action: `Cannot read ${kind} "${name}"`, kind, name, source },
  );
}
