import { createHash } from "node:crypto";

/**
 * Where the history stands after a revision. Each revision holds a checksum of all documents that exist at it, and is
 * chained to the revision before it, so that an edited, lost or damaged row is found at the revision that it belongs to.
 * These are checksums against damage, not seals against someone who can write the file.
 */
export interface ChainHead {
  readonly revision: number;
  /** Checksum of the set of documents: order does not matter, and a change costs what it changes. */
  readonly state: string;
  /** Checksum of this revision and of all before it. */
  readonly chain: string;
}

/** One document as one revision left it. */
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

/** The checksum of a set of documents with some put in and others taken out: both are the same exclusive or. */
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

/** The checksum of no documents. */
export const emptyState = "0".repeat(64);
