import type { Document, DocumentKey, Kind } from "./document.ts";

/** Everything that operators declared, by kind and name. Immutable: a change makes a new Mesh that shares what stayed. */
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

  /** Every document, kind by kind. */
  *documents(): Iterable<Document> {
    for (const documents of this.#byKind.values()) yield* documents.values();
  }

  /** This mesh after a change. Deleting what is not there is no fault. A document in both lists is set. */
  changed({ set, delete: deleted }: Change): Mesh {
    const next = new Map<Kind, Map<string, Document>>();
    const editable = (kind: Kind): Map<string, Document> => {
      const documents = next.get(kind) ?? new Map(this.#byKind.get(kind));
      next.set(kind, documents);
      return documents;
    };
    for (const { kind, name } of deleted) editable(kind).delete(name);
    for (const document of set) editable(document.kind).set(document.name, document);
    return new Mesh(new Map<Kind, ReadonlyMap<string, Document>>([...this.#byKind, ...next]));
  }
}

/** What one write does, all of it or nothing. */
export interface Change {
  readonly set: readonly Document[];
  readonly delete: readonly DocumentKey[];
}

const none: ReadonlyMap<string, Document> = new Map();
