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
  /** The last intact revision of a damaged store. Undefined when none is known, and when the store is not damaged. */
  readonly lastGoodRevision: number | undefined;

  constructor({ code, path, fault, hint, cause, lastGoodRevision }: Unusable) {
    const problem = problemOf({ code, message: fault, hint }, { action: `Cannot open the store ${path}` });
    super([problem], undefined, { cause });
    this.lastGoodRevision = lastGoodRevision;
  }
}

/** Another process has the store open. */
export function storeLocked(path: string): StoreUnusable {
  const hint = "stop the other server, or give this one its own folder with --data-dir";
  return new StoreUnusable({ code: "STORE_LOCKED", path, fault: "another process has it open", hint });
}

/** The file was written by a newer Chancery. */
export function storeTooNew(path: string, found: number, known: number): StoreUnusable {
  const fault = `its format is version ${found}, and this program knows versions up to ${known}`;
  const hint = "run the newer Chancery that wrote it, or give this one its own folder with --data-dir";
  return new StoreUnusable({ code: "STORE_TOO_NEW", path, fault, hint });
}

/** The folder or a file in it cannot be created, read or written. */
export function storeInaccessible(path: string, cause: Error): StoreUnusable {
  const hint = "use --data-dir to give a folder in which this user may write";
  return new StoreUnusable({ code: "STORE_INACCESSIBLE", path, fault: cause.message, hint, cause });
}

/** The content on disk is not what the store wrote. The server serves nothing from such a store. */
export function storeCorrupt(
  path: string,
  damage: Pick<Unusable, "fault" | "hint"> & { readonly lastGoodRevision: number | undefined },
): StoreUnusable {
  return new StoreUnusable({ code: "STORE_CORRUPT", path, ...damage });
}
