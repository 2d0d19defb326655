import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Acknowledged } from "./acknowledged.ts";
import { openHistory } from "./open-history.ts";
import { keyOf } from "./replay.ts";
import {
  type ChainHead,
  chained,
  digestOf,
  noteDigest,
  type RevisionHeader,
  toggled,
  type Version,
} from "./revision-chain.ts";
import { inTransaction } from "./sqlite-file.ts";

/** A version with its JSON. */
export interface StoredVersion extends Version {
  /** The revision that replaced or deleted it. Null while it is in the mesh. */
  readonly until: number | null;
  readonly json: string;
}

/** The effect of a revision on one document. */
export interface Edit {
  readonly kind: string;
  readonly name: string;
  /** Absent when the revision deletes the document. */
  readonly json?: string;
}

/** The rows of the store on disk: versions of documents, and the chain of revisions. A document is only text here. */
export class History {
  readonly #database: DatabaseSync;
  readonly #acknowledged: Acknowledged;
  readonly #keepRevisions: number;
  readonly #live = new Map<string, Version>();
  readonly #statements = new Map<string, StatementSync>();
  #head: ChainHead;
  #anchor: number;
  #open = true;

  /** Opens the files in a folder, and calls `load` with the JSON of each document in the mesh. */
  constructor(directory: string, keepRevisions: number, load: (json: string) => void) {
    const { database, acknowledged, head, anchor, live } = openHistory(directory);
    this.#database = database;
    this.#acknowledged = acknowledged;
    this.#keepRevisions = keepRevisions;
    this.#head = head;
    this.#anchor = anchor;
    for (const [key, { json, ...version }] of live) {
      this.#live.set(key, version);
      load(json);
    }
  }

  /** The newest revision; 0 before the first. */
  get head(): number {
    return this.#head.revision;
  }

  /** The oldest revision whose mesh can be rebuilt. */
  get anchor(): number {
    return this.#anchor;
  }

  /** The version of a document in the mesh. Undefined when the mesh does not have the document. */
  live(kind: string, name: string): Version | undefined {
    return this.#live.get(keyOf({ kind, name }));
  }

  /** Writes the next revision. It is on disk when this returns. When this throws, nothing has changed. */
  append(header: RevisionHeader, edits: readonly Edit[]): void {
    const { revision } = header;
    const ended = edits.flatMap(({ kind, name }) => this.live(kind, name) ?? []);
    const begun = edits.flatMap(({ kind, name, json }) =>
      json === undefined ? [] : [{ kind, name, since: revision, digest: digestOf(json), json }],
    );
    const head = chained(this.#head.chain, header, toggled(this.#head.state, [...ended, ...begun]));
    const anchor = Math.max(this.#anchor, revision - this.#keepRevisions);
    inTransaction(this.#database, () => {
      for (const { kind, name, since } of ended)
        this.#sql("UPDATE versions SET until = ? WHERE kind = ? AND name = ? AND since = ?").run(
          revision,
          kind,
          name,
          since,
        );
      for (const { kind, name, digest, json } of begun) {
        this.#sql("INSERT OR IGNORE INTO contents VALUES (?, ?)").run(digest, json);
        this.#sql("INSERT INTO versions VALUES (?, ?, ?, NULL, ?)").run(kind, name, revision, digest);
      }
      this.#sql("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?)").run(
        revision,
        header.time,
        header.author,
        header.message,
        head.state,
        head.chain,
      );
      if (anchor > this.#anchor) this.#deleteBefore(anchor);
    });
    for (const version of ended) this.#live.delete(keyOf(version));
    for (const { json: _, ...version } of begun) this.#live.set(keyOf(version), version);
    this.#head = head;
    this.#anchor = anchor;
  }

  /** Notes the newest revision as acknowledged, so that the next start detects its loss. */
  acknowledge(): void {
    this.#acknowledged.record(this.#head);
  }

  /** Up to `limit` revisions older than `before`, newest first. */
  headers({ before, limit }: { readonly before: number; readonly limit: number }): readonly RevisionHeader[] {
    return this.#all<RevisionHeader>(
      "SELECT revision, time, author, message FROM revisions WHERE revision > ? AND revision < ? ORDER BY revision DESC LIMIT ?",
      this.#anchor,
      before,
      Math.max(0, limit),
    );
  }

  /** The versions that begin or end at a revision. */
  changedAt(revision: number): readonly StoredVersion[] {
    return this.#all<StoredVersion>(
      `${selectVersions} WHERE since = ?1 OR until = ?1 ORDER BY kind, name, since`,
      revision,
    );
  }

  /** The versions that were in the mesh at a revision, and were replaced or deleted since. */
  endedSince(revision: number): readonly StoredVersion[] {
    return this.#all<StoredVersion>(`${selectVersions} WHERE since <= ?1 AND until > ?1`, revision);
  }

  /** The versions in the mesh that are newer than a revision. */
  *begunSince(revision: number): Iterable<Version> {
    for (const version of this.#live.values()) if (version.since > revision) yield version;
  }

  note(key: string): string | undefined {
    const [found] = this.#all<{ value: string }>("SELECT value FROM notes WHERE key = ?", key);
    return found?.value;
  }

  setNote(key: string, value: string): void {
    this.#sql("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)").run(key, value, noteDigest({ key, value }));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#database.close();
    this.#acknowledged.close();
  }

  #deleteBefore(anchor: number): void {
    this.#sql("DELETE FROM revisions WHERE revision < ?").run(anchor);
    for (const { digest } of this.#all<{ digest: string }>(
      "DELETE FROM versions WHERE until <= ? RETURNING digest",
      anchor,
    ))
      this.#sql("DELETE FROM contents WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE digest = ?1)").run(
        digest,
      );
  }

  #all<Row>(sql: string, ...values: (string | number)[]): readonly Row[] {
    return this.#sql(sql).all(...values) as unknown as readonly Row[];
  }

  #sql(text: string): StatementSync {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

const selectVersions = "SELECT kind, name, since, until, digest, json FROM versions JOIN contents USING (digest)";
