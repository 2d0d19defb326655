import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import type { ChainHead } from "./revision-chain.ts";

/** The newest acknowledged revision, noted in a file beside the database. */
export interface Acknowledged {
  /** The note that the file had when it was opened. Undefined when it had no readable note. */
  readonly found: Pick<ChainHead, "revision" | "chain"> | undefined;
  record(head: ChainHead): void;
  close(): void;
}

/**
 * Opens the note. The database alone cannot show that its last revisions are lost: when the write-ahead log is damaged,
 * SQLite silently drops everything from the damage on. So each commit also notes its revision in a second file. The note
 * is not synced. After a power cut it may be old, which does no harm, or unreadable, which counts as absent.
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
