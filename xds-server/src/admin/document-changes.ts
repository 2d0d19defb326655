import { isDeepStrictEqual } from "node:util";
import type { ChangedDocument } from "../admin-api/documents.ts";
import type { Document, DocumentKey } from "../model/document.ts";
import { kinds } from "../model/kinds.ts";
import type { Change, DocumentChange, Mesh } from "../model/mesh.ts";

export function changedDocument({ kind, name, before, after }: DocumentChange): ChangedDocument {
  if (before === undefined) return { kind, name, change: "created" };
  return { kind, name, change: after === undefined ? "deleted" : "changed" };
}

/** The documents that differ between two meshes, sorted by kind, then by name. */
export function meshDifference(before: Mesh, after: Mesh): readonly DocumentChange[] {
  const keys = new Map(
    [...before.documents(), ...after.documents()].map(({ kind, name }) => [`${kind} ${name}`, { kind, name }]),
  );
  return [...keys.values()]
    .flatMap((key) => difference(key, before.get(key.kind, key.name), after.get(key.kind, key.name)))
    .sort(byKindAndName);
}

function difference(
  { kind, name }: DocumentKey,
  before: Document | undefined,
  after: Document | undefined,
): readonly DocumentChange[] {
  if (before === after || isDeepStrictEqual(before, after)) return [];
  return [{ kind, name, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
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
