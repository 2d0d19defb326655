import { isDeepStrictEqual } from "node:util";
import type { Document, DocumentKey, Kind } from "./document.ts";

/** All documents, by kind and name. Immutable: a change makes a new Mesh, which shares the unchanged documents. */
export class Mesh {
  static readonly empty: Mesh = new Mesh(new Map());
  readonly #byKind: ReadonlyMap<Kind, ReadonlyMap<string, Document>>;

  private constructor(byKind: ReadonlyMap<Kind, ReadonlyMap<string, Document>>) {
    this.#byKind = byKind;
  }

  static of(documents: Iterable<Document>): Mesh {
    return Mesh.empty.changed({ set: [...documents], delete: [] });
  }

  /** All documents of a kind, by name. */
  all<K extends Kind>(kind: K): ReadonlyMap<string, Document<K>> {
    return (this.#byKind.get(kind) ?? none) as ReadonlyMap<string, Document<K>>;
  }

  get<K extends Kind>(kind: K, name: string): Document<K> | undefined {
    return this.all(kind).get(name);
  }

  /** The kinds that have documents, or had some in an earlier mesh. */
  kinds(): Iterable<Kind> {
    return this.#byKind.keys();
  }

  /** Every document, kind by kind. */
  *documents(): Iterable<Document> {
    for (const documents of this.#byKind.values()) yield* documents.values();
  }

  /**
   * This mesh after a change. Deleting a document that does not exist is not a fault. A document in both lists is set.
   * A document with equal content stays the same object. So does the map of a kind, and the mesh, if nothing in it changes.
   */
  changed(change: Change): Mesh {
    const next = new Map<Kind, Map<string, Document>>();
    const editable = (kind: Kind): Map<string, Document> => {
      const documents = next.get(kind) ?? new Map(this.#byKind.get(kind));
      next.set(kind, documents);
      return documents;
    };
    for (const { kind, name } of change.delete) {
      if (this.get(kind, name) !== undefined) editable(kind).delete(name);
    }
    for (const document of change.set) {
      const { kind, name } = document;
      const before = this.get(kind, name);
      const after = before !== undefined && isSame(before, document) ? before : document;
      if ((next.get(kind) ?? this.all(kind)).get(name) !== after) editable(kind).set(name, after);
    }
    return next.size === 0 ? this : new Mesh(new Map<Kind, ReadonlyMap<string, Document>>([...this.#byKind, ...next]));
  }

  /** The mesh before and after a change, and the documents that the change creates, replaces or deletes. */
  edited(change: Change): MeshEdit {
    const after = this.changed(change);
    const keys = new Map([...change.delete, ...change.set].map((key) => [`${key.kind} ${key.name}`, key]));
    const changes = [...keys.values()].flatMap(({ kind, name }) => differenceOf({ kind, name }, this, after));
    return { before: this, after, changes };
  }
}

function differenceOf({ kind, name }: DocumentKey, mesh: Mesh, next: Mesh): readonly DocumentChange[] {
  const [before, after] = [mesh.get(kind, name), next.get(kind, name)];
  if (before === after) return [];
  return [{ kind, name, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

/** Whether two documents have equal specs. The order of keys does not matter. */
function isSame(one: Document, other: Document): boolean {
  return one === other || isDeepStrictEqual(one.spec, other.spec);
}

/** One write. It applies as a whole or not at all. */
export interface Change {
  readonly set: readonly Document[];
  readonly delete: readonly DocumentKey[];
}

/** A change applied to a mesh. The check of a change and its commit share one `after`. */
export interface MeshEdit {
  readonly before: Mesh;
  /** The same object as `before` when nothing changes. */
  readonly after: Mesh;
  /** Documents that stay the same are left out. */
  readonly changes: readonly DocumentChange[];
}

/** The effect of a change on one document. `before` is absent when the document is created, `after` when it is deleted. */
export interface DocumentChange {
  readonly kind: Kind;
  readonly name: string;
  readonly before?: Document;
  readonly after?: Document;
}

const none: ReadonlyMap<string, Document> = new Map();
