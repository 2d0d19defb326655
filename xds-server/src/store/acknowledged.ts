import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import type { ChainHead } from "./revision-chain.ts";

/** The newest revision that was acknowledged, noted beside the database. */
export interface Acknowledged {
  /** As found when opened; absent when nothing readable was there. */
  readonly found: Pick<ChainHead, "revision" | "chain"> | undefined;
  record(head: ChainHead): void;
  close(): void;
}

/**
 * The database alone cannot tell a lost tail from one that was never written: SQLite drops a damaged write-ahead log
 * from the damage on, silently. So the newest revision is noted in a second file after each commit. The note is not
 * synced: after a power cut it may be old, which is harmless, or not readable, which counts as absent.
 */
export function openAcknowledged(path: string): Acknowledged {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const buffer = Buffer.alloc(noteBytes);
  const text = buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, noteBytes, 0));
  const [, revision, chain] = /^(\d{16}) ([0-9a-f]{64})\n$/.exec(text) ?? [];
  return {
    found: revision !== undefined && chain !== undefined ? { revision: Number(revision), chain } : undefined,
    record: (head) => void writeSync(descriptor, `${String(head.revision).padStart(16, "0")} ${head.chain}\n`, 0),
    close: () => closeSync(descriptor),
  };
}

const noteBytes = 16 + 1 + 64 + 1;
