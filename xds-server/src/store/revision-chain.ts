import { createHash } from "node:crypto";

/**
 * The checksums at a revision. One is of all documents that exist at the revision. The other also covers all revisions
 * before it. So an edited, lost or damaged row is found at the revision that it belongs to. The checksums detect damage.
 * They do not protect against someone who can write the file.
 */
export interface ChainHead {
  readonly revision: number;
  /** The checksum of the set of documents. Order does not matter, and an update reads only the documents that change. */
  readonly state: string;
  /** The checksum of this revision and of all before it. */
  readonly chain: string;
}

/** One document as one revision wrote it. */
export interface Version {
  readonly kind: string;
  readonly name: string;
  /** The revision that wrote it. */
  readonly since: number;
  /** `digestOf` its JSON. */
  readonly digest: string;
}

export interface RevisionHeader {
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly author: string;
  readonly message: string;
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function noteDigest({ key, value }: { readonly key: string; readonly value: string }): string {
  return digestOf(JSON.stringify([key, value]));
}

/** The checksum of a set after some versions are added and others removed. Both are the same exclusive or. */
export function toggled(state: string, versions: Iterable<Version>): string {
  const sum = Buffer.from(state, "hex");
  for (const { kind, name, since, digest } of versions) {
    const row = createHash("sha256")
      .update(JSON.stringify([kind, name, since, digest]))
      .digest();
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) ^ (row[i] ?? 0);
  }
  return sum.toString("hex");
}

export function chained(previousChain: string, header: RevisionHeader, state: string): ChainHead {
  const { revision, time, author, message } = header;
  return { revision, state, chain: digestOf(JSON.stringify([previousChain, revision, time, author, message, state])) };
}

/** The checksum of the empty set. */
export const emptyState = "0".repeat(64);
