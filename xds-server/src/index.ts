/** The management server as a library: start it in process, or use its parts. */
export { type RunningApp, startApp } from "./app/app.ts";
export type { AppConfig } from "./app/config.ts";
export type { Document, DocumentKey, Kind } from "./model/document.ts";
export { type Change, Mesh, type MeshEdit } from "./model/mesh.ts";
export type { Problem } from "./model/problem.ts";
export { ProblemsError } from "./model/problems-error.ts";
export { MemoryDatabase, type MemoryStoreOptions, openMemoryStore } from "./store/memory-store.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./store/sqlite-store.ts";
export { type CommitOptions, type Revision, RevisionConflict, type Store, StoreClosed } from "./store/store.ts";
