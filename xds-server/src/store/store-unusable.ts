import { problemOf } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { ProblemsError } from "../model/problems-error.ts";

interface Unusable {
  readonly code: ProblemCode & `STORE_${string}`;
  /** The file or folder at fault. */
  readonly path: string;
  readonly fault: string;
  /** What to do. */
  readonly hint: string;
  readonly cause?: Error;
  readonly lastGoodRevision?: number | undefined;
}

/** Why a store could not be opened. */
export class StoreUnusable extends ProblemsError {
  /** Of a damaged store: everything up to this revision reads back as it was written; absent when not even that is known. */
  readonly lastGoodRevision: number | undefined;

  constructor({ code, path, fault, hint, cause, lastGoodRevision }: Unusable) {
    const problem = problemOf({ code, message: fault, hint }, { action: `Cannot open the store ${path}` });
    super([problem], undefined, { cause });
    this.lastGoodRevision = lastGoodRevision;
  }
}

/** Another process has the store open. */
export function storeLocked(path: string): StoreUnusable {
  const hint = "stop the other xds-server, or give this one its own folder by --data-dir";
  return new StoreUnusable({ code: "STORE_LOCKED", path, fault: "another process has it open", hint });
}

/** The file was written by a newer Chancery. */
export function storeTooNew(path: string, found: number, known: number): StoreUnusable {
  const fault = `its format is version ${found}, and this program knows versions up to ${known}`;
  const hint = "run the newer Chancery that wrote it, or give this one its own folder by --data-dir";
  return new StoreUnusable({ code: "STORE_TOO_NEW", path, fault, hint });
}

/** The folder or a file in it cannot be made, read or written. */
export function storeInaccessible(path: string, cause: Error): StoreUnusable {
  const hint = "give a folder that this user may write to by --data-dir";
  return new StoreUnusable({ code: "STORE_INACCESSIBLE", path, fault: cause.message, hint, cause });
}

/** What is on disk is not what was written. Nothing is served from such a store. */
export function storeCorrupt(
  path: string,
  damage: Pick<Unusable, "fault" | "hint"> & { readonly lastGoodRevision: number | undefined },
): StoreUnusable {
  return new StoreUnusable({ code: "STORE_CORRUPT", path, ...damage });
}
