/** Why a store could not be opened, in words for the operator: what is wrong, and what to do about it. */
export abstract class StoreUnusable extends Error {
  /** A stable code, explained in docs/PROBLEMS.md. */
  abstract readonly code: string;
  /** The file or folder at fault. */
  readonly path: string;
  /** What to do. */
  readonly hint: string;

  constructor(path: string, fault: string, hint: string, options?: ErrorOptions) {
    super(`Cannot open the store ${path}: ${fault}`, options);
    this.name = new.target.name;
    this.path = path;
    this.hint = hint;
  }
}

/** Another process has the store open. */
export class StoreLocked extends StoreUnusable {
  readonly code = "STORE_LOCKED";

  constructor(path: string) {
    super(
      path,
      "another process has it open",
      "stop the other xds-server, or give this one its own folder by --data-dir",
    );
  }
}

/** The file was written by a newer Chancery. */
export class StoreTooNew extends StoreUnusable {
  readonly code = "STORE_TOO_NEW";

  constructor(path: string, found: number, known: number) {
    super(
      path,
      `its format is version ${found}, and this program knows versions up to ${known}`,
      "run the newer Chancery that wrote it, or give this one its own folder by --data-dir",
    );
  }
}

/** The folder or a file in it cannot be made, read or written. */
export class StoreInaccessible extends StoreUnusable {
  readonly code = "STORE_INACCESSIBLE";

  constructor(path: string, cause: Error) {
    super(path, cause.message, "give a folder that this user may write to by --data-dir", { cause });
  }
}

/** What is on disk is not what was written. Nothing is served from such a store. */
export class StoreCorrupt extends StoreUnusable {
  readonly code = "STORE_CORRUPT";
  /** Everything up to this revision reads back as it was written; absent when not even that is known. */
  readonly lastGoodRevision: number | undefined;

  constructor(path: string, fault: string, lastGoodRevision: number | undefined, hint: string) {
    super(path, fault, hint);
    this.lastGoodRevision = lastGoodRevision;
  }
}
