import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { chained, emptyState } from "./revision-chain.ts";
import { StoreUnusable, storeCorrupt, storeInaccessible, storeLocked, storeTooNew } from "./store-unusable.ts";

/** The version of the file's format. A change of the tables below needs a new number and a migration. */
const formatVersion = 1;
/** "CHNC". It distinguishes our file from any other SQLite file. */
const applicationId = 0x43484e43;

/**
 * A row of `versions` is a document from the revision that wrote it (`since`) to the revision that replaced or deleted it
 * (`until`). So a revision needs space only for its changes, and one query returns the mesh at any revision. The oldest row
 * of `revisions` is the anchor: the kept history starts from its state.
 */
const schema = `
  CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY, time INTEGER NOT NULL, author TEXT NOT NULL, message TEXT NOT NULL,
    state TEXT NOT NULL, chain TEXT NOT NULL
  ) STRICT;
  CREATE TABLE contents (digest TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
  CREATE TABLE versions (
    kind TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, digest TEXT NOT NULL,
    PRIMARY KEY (kind, name, since)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX versions_since ON versions (since);
  CREATE INDEX versions_until ON versions (until) WHERE until IS NOT NULL;
  CREATE INDEX versions_digest ON versions (digest);
  CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;

/** Opens the database file for this process alone. Creates the file when it does not exist. */
export function openDatabaseFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    ensureFile(path);
    database = new DatabaseSync(path);
    // In this mode, SQLite holds the operating system's lock from the first read until the database is closed or the process ends.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    inTransaction(database, () => ensureSchema(path, database as DatabaseSync));
    return database;
  } catch (error) {
    database?.close();
    throw unusable(path, error);
  }
}

/** Runs the work as one transaction. It is on disk when this returns. When this throws, nothing has changed. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    // When the disk is full, SQLite rolls back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** SQLite's message about a damaged file. Undefined when the error has another cause. */
export function damage(error: unknown): string | undefined {
  return [sqliteCorrupt, sqliteNotADatabase].includes(primaryCode(error)) ? (error as Error).message : undefined;
}

const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

function primaryCode(error: unknown): number {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : 0;
}

function unusable(path: string, error: unknown): unknown {
  if (error instanceof StoreUnusable || !(error instanceof Error)) return error;
  if (primaryCode(error) === sqliteBusy) return storeLocked(path);
  const fault = damage(error);
  return fault === undefined
    ? storeInaccessible(path, error)
    : storeCorrupt(path, { fault, hint: withoutHistory, lastGoodRevision: undefined });
}

/** The hint when no revision is known to be intact. */
export const withoutHistory =
  "restore a backup of the folder; or move the folder away, start with an empty folder, and apply the configuration again";

/** Creates the file, readable by its owner only. SQLite gives its other files the same permissions. */
function ensureFile(path: string): void {
  const directory = dirname(path);
  ensureFolder(directory);
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // Not by descriptor: closing a descriptor of the file would drop the locks that this process may hold on it.
    chmodSync(path, 0o600);
    return;
  }
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/**
 * Creates a folder and its parents, one by one. Node's `recursive` option never ends where the kernel answers ENOENT, such as
 * below /proc.
 */
function ensureFolder(directory: string): void {
  if (existsSync(directory)) return;
  ensureFolder(dirname(directory));
  mkdirSync(directory, { mode: 0o700 });
}

function ensureSchema(path: string, database: DatabaseSync): void {
  const found = { application: pragma(database, "application_id"), version: pragma(database, "user_version") };
  if (found.application === applicationId) {
    if (found.version > formatVersion) throw storeTooNew(path, found.version, formatVersion);
    return;
  }
  if (pragma(database, "page_count") > 1 || found.application !== 0)
    throw storeCorrupt(path, {
      fault: "it is the database of another program",
      hint: "give another folder with --data-dir",
      lastGoodRevision: undefined,
    });
  database.exec(schema);
  const { state, chain } = chained("", { revision: 0, time: 0, author: "", message: "" }, emptyState);
  database.prepare("INSERT INTO revisions VALUES (0, 0, '', '', ?, ?)").run(state, chain);
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
