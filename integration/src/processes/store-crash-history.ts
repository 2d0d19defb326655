import type { Change, Document } from "@chancery/xds-server";

/** Few enough that old revisions are forgotten all the while. */
export const keepRevisions = 60;

const documents = 7;

/** What revision n does: it writes one of seven documents anew, and every fifth deletes another. */
export function changeOf(revision: number): Change {
  const set = [documentOf(revision)];
  return { set, delete: revision % 5 === 0 ? [{ kind: "Endpoints", name: nameOf(revision + 1) }] : [] };
}

/** What the mesh holds after revision n, by name. */
export function meshAfter(revision: number): ReadonlyMap<string, Document> {
  const writtenAt = new Map<string, number>();
  // Long enough ago, every document has been written anew since.
  for (let at = Math.max(1, revision - documents); at <= revision; at++) {
    for (const { name } of changeOf(at).delete) writtenAt.delete(name);
    writtenAt.set(nameOf(at), at);
  }
  return new Map([...writtenAt].map(([name, at]) => [name, documentOf(at)]));
}

/** Large enough that a log is full after some tens of revisions, so that crashes hit its transfer too. */
function documentOf(revision: number): Document {
  const endpoints = Array.from({ length: 200 }, (_, i) => ({ address: `10.0.0.${i}`, port: (revision % 60_000) + 1 }));
  return { kind: "Endpoints", name: nameOf(revision), spec: { endpoints } };
}

function nameOf(revision: number): string {
  return `cluster-${revision % documents}`;
}
