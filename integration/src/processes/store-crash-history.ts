import type { Change, Document } from "@chancery/xds-server";

/** A low number, so that the store drops old revisions all the time. */
export const keepRevisions = 60;

const documents = 7;

/** The change of a revision: it sets one of seven documents, and every fifth revision also deletes another. */
export function changeOf(revision: number): Change {
  const set = [documentOf(revision)];
  return { set, delete: revision % 5 === 0 ? [{ kind: "Endpoints", name: nameOf(revision + 1) }] : [] };
}

/** The documents after a revision, by name. */
export function meshAfter(revision: number): ReadonlyMap<string, Document> {
  const writtenAt = new Map<string, number>();
  // Each document is set every seven revisions, so earlier revisions do not matter.
  for (let at = Math.max(1, revision - documents); at <= revision; at++) {
    for (const { name } of changeOf(at).delete) writtenAt.delete(name);
    writtenAt.set(nameOf(at), at);
  }
  return new Map([...writtenAt].map(([name, at]) => [name, documentOf(at)]));
}

/** A large document: SQLite's write-ahead log is full after some tens of revisions, so that crashes hit checkpoints too. */
function documentOf(revision: number): Document {
  const endpoints = Array.from({ length: 200 }, (_, i) => ({ address: `10.0.0.${i}`, port: (revision % 60_000) + 1 }));
  return { kind: "Endpoints", name: nameOf(revision), spec: { endpoints } };
}

function nameOf(revision: number): string {
  return `cluster-${revision % documents}`;
}
