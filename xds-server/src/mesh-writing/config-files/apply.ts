import { createHash } from "node:crypto";
import type { Document, DocumentKey } from "../../model/document.ts";
import { boundedProblems, type Problem, problemOf } from "../../model/problem.ts";
import { duplicateDocument, parseYaml } from "../../reading/parse.ts";
import type { Store } from "../../store/store.ts";
import type { MeshWriter } from "../mesh-writer.ts";
import type { ConfigFile, ReadFiles } from "./tree.ts";

export interface ApplyOptions {
  readonly store: Store;
  readonly writer: MeshWriter;
  /** Whether files without any document may delete all documents of the files that were applied last. */
  readonly mayDeleteAll: boolean;
  /** Nothing is written after its abort. */
  readonly signal: AbortSignal;
}

export type Application =
  | {
      readonly ok: true;
      readonly documents: number;
      /** The files are the same as those applied last. Nothing was written, so later changes by others stay. */
      readonly isUnchanged: boolean;
      /** Undefined when nothing changed. */
      readonly revision: number | undefined;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Writes the documents of the files to the mesh in one revision, and deletes those that only the files applied last had.
 * Resolves to undefined when the signal was aborted before the write.
 */
export async function applyFiles(
  read: ReadFiles,
  { store, writer, mayDeleteAll, signal }: ApplyOptions,
): Promise<Application | undefined> {
  const { files } = read;
  const { digest: appliedDigest, documents: owned } = await lastApplied(store);
  const digest = digestOf(files);
  if (digest === appliedDigest && read.problems.length === 0)
    return { ok: true, documents: owned.length, isUnchanged: true, revision: undefined };

  const { documents, sources, faults } = parseFiles(files);
  const problems = boundedProblems([...read.problems, ...faults]);
  if (problems.length > 0) return { ok: false, problems };
  if (documents.size === 0 && owned.length > 0 && !mayDeleteAll) return { ok: false, problems: [allGone(owned)] };
  const change = { set: [...documents.values()], delete: owned.filter((key) => !documents.has(keyOf(key))) };
  const message = files.map(({ path }) => path).join(", ");
  const options = { author: "files", message: message.slice(0, maxMessageLength) };
  const changeOf = () => {
    signal.throwIfAborted();
    return change;
  };
  const result = await writer.write(changeOf, options).catch((error: unknown) => {
    if (error !== signal.reason) throw error;
  });
  if (result === undefined) return undefined;
  if (!result.ok)
    return { ok: false, problems: result.problems.map((problem) => ({ ...sourceOf(problem), ...problem })) };
  // After a crash before this line, the next start applies the same files again. Nobody has written in between, so nothing changes.
  await store.setNote(
    noteKey,
    JSON.stringify({ digest, documents: [...documents.values()].map(({ kind, name }) => ({ kind, name })) }),
  );
  const revision = result.edit.changes.length === 0 ? undefined : result.revision;
  return { ok: true, documents: documents.size, isUnchanged: false, revision };

  function sourceOf({ kind, name }: Problem): { readonly source?: string } {
    const source = kind === undefined || name === undefined ? undefined : sources.get(keyOf({ kind, name }));
    return source === undefined ? {} : { source };
  }
}

/** The files that were applied last. */
interface LastApplied {
  /** `digestOf` them. */
  readonly digest: string;
  readonly documents: readonly DocumentKey[];
}

const noteKey = "config-files";
const maxMessageLength = 200;

async function lastApplied(store: Store): Promise<LastApplied> {
  const note = await store.note(noteKey);
  return note === undefined ? { digest: digestOf([]), documents: [] } : (JSON.parse(note) as LastApplied);
}

/** The digest of the files' content. Paths do not count, so moving a file changes nothing. */
function digestOf(files: readonly ConfigFile[]): string {
  const digests = files.map(({ text }) => createHash("sha256").update(text).digest("hex"));
  return createHash("sha256").update(digests.sort().join(" ")).digest("hex");
}

function parseFiles(files: readonly ConfigFile[]) {
  const documents = new Map<string, Document>();
  const sources = new Map<string, string>();
  const faults: Problem[] = [];
  for (const { path, text } of files) {
    const parsed = parseYaml(text, { source: path });
    faults.push(...parsed.problems);
    if (parsed.documents.length + parsed.problems.length === 0) faults.push(empty(path));
    for (const document of parsed.documents) {
      const key = keyOf(document);
      const source = parsed.sources.get(document) ?? path;
      const first = sources.get(key);
      if (first !== undefined) faults.push(duplicateDocument(document, first, source));
      documents.set(key, document);
      sources.set(key, source);
    }
  }
  return { documents, sources, faults };
}

function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

/** An editor may empty a file before it writes it, so an empty file deletes nothing. */
function empty(path: string): Problem {
  const hint = "to delete its documents, delete the file";
  const fault = { code: "CONFIG_FILE_EMPTY", message: "it has no document", hint } as const;
  return problemOf(fault, { action: `Cannot apply the configuration ${path}`, source: path });
}

function allGone(owned: readonly DocumentKey[]): Problem {
  return problemOf(
    {
      code: "CONFIG_FILES_GONE",
      message: `there are no files, but the files applied last had ${owned.length} documents`,
      hint: "check that the folder is mounted; to use no files any more, start without --config and delete the documents",
    },
    { action: "Cannot apply the configuration" },
  );
}
