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
  /** Whether files that hold nothing any more may delete all that they once held. */
  readonly mayDeleteAll: boolean;
  /** Aborted when nothing may be written any more. */
  readonly signal: AbortSignal;
}

export type Application =
  | {
      readonly ok: true;
      readonly documents: number;
      /** The files are those last applied, so nothing was written: what others changed since stays. */
      readonly asBefore: boolean;
      /** Absent when nothing changed. */
      readonly revision: number | undefined;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Makes the mesh hold what the files say, in one revision, and lets go what only earlier files said. Undefined when
 * the signal was aborted before that.
 */
export async function applyFiles(
  read: ReadFiles,
  { store, writer, mayDeleteAll, signal }: ApplyOptions,
): Promise<Application | undefined> {
  const { files } = read;
  const { digest: appliedDigest, documents: owned } = await lastApplied(store);
  const digest = digestOf(files);
  if (digest === appliedDigest && read.problems.length === 0)
    return { ok: true, documents: owned.length, asBefore: true, revision: undefined };

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
  // A crash before this line applies the same files again: to the same effect, for nobody has written in between.
  await store.setNote(
    noteKey,
    JSON.stringify({ digest, documents: [...documents.values()].map(({ kind, name }) => ({ kind, name })) }),
  );
  const revision = result.edit.changes.length === 0 ? undefined : result.revision;
  return { ok: true, documents: documents.size, asBefore: false, revision };

  function sourceOf({ kind, name }: Problem): { readonly source?: string } {
    const source = kind === undefined || name === undefined ? undefined : sources.get(keyOf({ kind, name }));
    return source === undefined ? {} : { source };
  }
}

/** What the files held that were applied last. */
interface LastApplied {
  readonly digest: string;
  readonly documents: readonly DocumentKey[];
}

const noteKey = "config-files";
const maxMessageLength = 200;

async function lastApplied(store: Store): Promise<LastApplied> {
  const note = await store.note(noteKey);
  return note === undefined ? { digest: digestOf([]), documents: [] } : (JSON.parse(note) as LastApplied);
}

/** Of what the files say, not of where they are: moving a file changes nothing. */
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

/** An editor empties a file before it writes it: nothing is deleted on the word of an empty file. */
function empty(path: string): Problem {
  const hint = "to delete what it held, delete the file";
  const fault = { code: "CONFIG_FILE_EMPTY", message: "it holds no document", hint } as const;
  return problemOf(fault, { action: `Cannot apply the configuration ${path}`, source: path });
}

function allGone(owned: readonly DocumentKey[]): Problem {
  return problemOf(
    {
      code: "CONFIG_FILES_GONE",
      message: `there are no files, and those applied last held ${owned.length} documents`,
      hint: "check that the folder is mounted; to do without the files, start without --config and delete the documents",
    },
    { action: "Cannot apply the configuration" },
  );
}
