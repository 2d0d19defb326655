import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { chained, emptyState } from "./revision-chain.ts";
import { StoreUnusable, storeCorrupt, storeInaccessible, storeLocked, storeTooNew } from "./store-unusable.ts";

/** The format written into the file. A change of the tables below is a new number and a migration. */
const formatVersion = 1;
/** "CHNC": tells our file from any other SQLite file. */
const applicationId = 0x43484e43;

/**
 * `versions` holds each document from the revision that wrote it (`since`) to the one that replaced or deleted it
 * (`until`), so a revision costs what it changed, and the mesh at any revision is one query. The oldest row of
 * `revisions` is the anchor: the state that the kept history starts from.
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

/** Opens the database file for this process alone, and makes it first where there is none. */
export function openDatabaseFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    ensureFile(path);
    database = new DatabaseSync(path);
    // Exclusive locking holds the operating system's lock from the first read until close or death of the process.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    inTransaction(database, () => ensureSchema(path, database as DatabaseSync));
    return database;
  } catch (error) {
    database?.close();
    throw unusable(path, error);
  }
}

/** Runs the work as one transaction that is on disk when this returns, and not there at all when it throws. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    // A full disk makes SQLite roll back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** What SQLite says of a damaged file, or undefined when the error means something else. */
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

/** The way out when no revision can be vouched for. */
export const withoutHistory =
  "put back a backup of the folder; or move the folder away, start with an empty one, and apply the configuration again";

/** SQLite gives its other files the permissions of this one. */
function ensureFile(path: string): void {
  const directory = dirname(path);
  ensureFolder(directory);
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // By name: opening and closing the file would drop the locks that this process may hold on it.
    chmodSync(path, 0o600);
    return;
  }
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** One folder after the other: Node's own recursion never ends where the kernel has no such file, as below /proc. */
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
      hint: "give another --data-dir",
      lastGoodRevision: undefined,
    });
  database.exec(schema);
  const { state, chain } = chained("", { revision: 0, time: 0, author: "", message: "" }, emptyState);
  database.prepare("INSERT INTO revisions VALUES (0, 0, '', '', ?, ?)").run(state, chain);
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
