import { isDeepStrictEqual } from "node:util";
import type { Document, DocumentKey } from "../model/document.ts";
import { kinds } from "../model/kinds.ts";
import type { Change, Mesh } from "../model/mesh.ts";
import type { DocumentChange } from "../store/store.ts";
import type { ChangeWord } from "./impact.ts";

/** A document that a write or a revision changed, without its content. */
export interface ChangedDocument extends DocumentKey {
  readonly change: ChangeWord;
}

export function changedDocument({ kind, name, before, after }: DocumentChange): ChangedDocument {
  if (before === undefined) return { kind, name, change: "created" };
  return { kind, name, change: after === undefined ? "deleted" : "changed" };
}

/** What a change would really do to a mesh: documents set to what they already are, and deletions of nothing, are left out. */
export function effectiveChanges(mesh: Mesh, change: Change): readonly DocumentChange[] {
  return meshDifference(mesh, mesh.changed(change), [...change.delete, ...change.set]);
}

/** What differs between two meshes, in all documents or in those named; by kind, then by name. */
export function meshDifference(
  before: Mesh,
  after: Mesh,
  keys: Iterable<DocumentKey> = [...before.documents(), ...after.documents()],
): readonly DocumentChange[] {
  const changes = new Map<string, DocumentChange>();
  for (const { kind, name } of keys) {
    const old = before.get(kind, name);
    const current = after.get(kind, name);
    if (sameDocument(old, current)) continue;
    changes.set(`${kind} ${name}`, {
      kind,
      name,
      ...(old === undefined ? {} : { before: old }),
      ...(current === undefined ? {} : { after: current }),
    });
  }
  return [...changes.values()].sort(byKindAndName);
}

const kindOrder: ReadonlyMap<string, number> = new Map(kinds.map(({ kind }, index) => [kind, index]));

function byKindAndName(one: DocumentKey, other: DocumentKey): number {
  const kindsApart = (kindOrder.get(one.kind) ?? 0) - (kindOrder.get(other.kind) ?? 0);
  if (kindsApart !== 0) return kindsApart;
  return one.name < other.name ? -1 : 1;
}

/** The change that turns one mesh into another. */
export function changeBetween(from: Mesh, to: Mesh): Change {
  const differences = meshDifference(from, to);
  return {
    set: differences.flatMap(({ after }) => (after === undefined ? [] : [after])),
    delete: differences.flatMap(({ kind, name, after }) => (after === undefined ? [{ kind, name }] : [])),
  };
}

function sameDocument(one: Document | undefined, other: Document | undefined): boolean {
  return one === other || isDeepStrictEqual(one, other);
}
