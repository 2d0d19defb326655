import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Document } from "../model/document.ts";
import type { Problem } from "../model/problem.ts";
import { duplicateDocument, parseYaml } from "../reading/parse.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";

export interface ReadDocuments {
  readonly documents: readonly Document[];
  /** The file and line of each document: "shop/edge.yaml:12". */
  readonly sources: ReadonlyMap<Document, string>;
}

/** Reads documents from files, folders (all .yaml, .yml and .json files in them) and standard input ("-"). */
export function readDocumentFiles(paths: readonly string[]): ReadDocuments {
  const files = [...new Set(paths.flatMap((path) => (path === "-" ? ["-"] : filesAt(path))))];
  const parsed = files.map((file) => parseYaml(readText(file), { source: file === "-" ? "stdin" : file }));
  const problems = [...parsed.flatMap((each) => each.problems)];
  const sources = new Map(parsed.flatMap((each) => [...each.sources]));
  const documents = parsed.flatMap((each) => each.documents);
  problems.push(...duplicates(documents, sources));
  if (problems.length > 0) throw new CommandFailure(exitCodes.rejected, "The documents have faults", problems);
  if (documents.length === 0) throw new CommandFailure(exitCodes.rejected, `No documents in ${paths.join(", ")}`);
  return { documents, sources };
}

/** Awaits a request about documents. If it is rejected, its problems get the file and line of the documents. */
export async function withSources<T>({ sources }: ReadDocuments, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const byKey = new Map([...sources].map(([{ kind, name }, source]) => [`${kind} ${name}`, source]));
    const problems = error.problems.map((problem) => {
      const source = byKey.get(`${problem.kind} ${problem.name}`) ?? problem.source;
      return source === undefined ? problem : { ...problem, source };
    });
    throw new CommandFailure(error.exitCode, error.action ?? error.message, problems);
  }
}

function filesAt(path: string): readonly string[] {
  return reading(path, () => {
    if (!statSync(path).isDirectory()) return [path];
    const entries: Dirent[] = readdirSync(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  });
}

function readText(file: string): string {
  return reading(file, () => readFileSync(file === "-" ? 0 : file, "utf8"));
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CommandFailure(exitCodes.rejected, `Cannot read ${path}: ${causeOf(error)}`);
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.code === "ENOENT" ? "it does not exist" : error.message;
}

function duplicates(documents: readonly Document[], sources: ReadonlyMap<Document, string>): readonly Problem[] {
  const first = new Map<string, Document>();
  return documents.flatMap((document) => {
    const { kind, name } = document;
    const former = first.get(`${kind} ${name}`);
    first.set(`${kind} ${name}`, former ?? document);
    return former === undefined ? [] : [duplicateDocument(document, sources.get(former), sources.get(document))];
  });
}
