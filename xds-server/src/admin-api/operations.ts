import type { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import type { KindRow } from "../model/kinds.ts";
import { noQuery } from "./components.ts";
import { anyDocuments, change, kindSchemas } from "./documents.ts";
import {
  filterStatusList,
  filterVersion,
  filterVersionList,
  nameParams,
  pushQuery,
  rollbackQuery,
  sourceMap,
  sourceMapKept,
  trap,
  trapText,
  versionParams,
} from "./filters.ts";
import { loadList, loadQuery } from "./load.ts";
import { proxiesQuery, proxy, proxyConfig, proxyList, proxyParams } from "./proxies.ts";
import { diffQuery, revision, revisionDiff, revisionList, revisionParams, revisionsQuery } from "./revisions.ts";
import type { RouteName } from "./routes.ts";
import { writeAnswer, writeQuery } from "./writes.ts";

/** The schemas of an operation. Its handler reads requests by them, and `/openapi.json` shows them. */
export interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query: z.ZodType;
  /** The schema of the JSON or YAML body, a component. Absent when the operation has no such body. */
  readonly body?: z.ZodType;
  /** True when the body is a Wasm module. */
  readonly wasm?: true;
  /** The schema of the JSON response, a component. */
  readonly answer: z.ZodType;
}

type KindRouteName = "documents" | "document" | "putDocument" | "deleteDocument";

/** All operations except those on documents of one kind. routes.ts has their methods and URLs. */
export const operations = {
  apply: {
    tags: ["mesh"],
    summary: "Set and delete documents in one revision, all or nothing",
    query: writeQuery,
    body: change,
    answer: writeAnswer,
  },
  mesh: { tags: ["mesh"], summary: "Read every document", query: noQuery, answer: anyDocuments },
  putMesh: {
    tags: ["mesh"],
    summary: "Replace the whole mesh with a list of documents",
    query: writeQuery,
    body: anyDocuments,
    answer: writeAnswer,
  },
  revisions: {
    tags: ["revisions"],
    summary: "List the revisions, newest first",
    query: revisionsQuery,
    answer: revisionList,
  },
  revisionDiff: { tags: ["revisions"], summary: "Compare two revisions", query: diffQuery, answer: revisionDiff },
  revision: {
    tags: ["revisions"],
    summary: "Read one revision and its changes",
    params: revisionParams,
    query: noQuery,
    answer: revision,
  },
  restore: {
    tags: ["revisions"],
    summary: "Restore the mesh of an earlier revision, as a new revision",
    params: revisionParams,
    query: writeQuery,
    answer: writeAnswer,
  },
  proxies: {
    tags: ["proxies"],
    summary: "List the proxies, with the state of each resource type",
    query: proxiesQuery,
    answer: proxyList,
  },
  proxy: {
    tags: ["proxies"],
    summary: "Read the state of each resource of one proxy, by stream",
    params: proxyParams,
    query: noQuery,
    answer: proxy,
  },
  proxyConfig: {
    tags: ["proxies"],
    summary: "Read the resources that were sent to a proxy, with secrets redacted",
    params: proxyParams,
    query: noQuery,
    answer: proxyConfig,
  },
  load: {
    tags: ["load"],
    summary: "Read the load on clusters, localities and endpoints that the proxies report",
    query: loadQuery,
    answer: loadList,
  },
  allFilterVersions: {
    tags: ["filters"],
    summary: "List every version of every filter, newest first",
    query: noQuery,
    answer: filterVersionList,
  },
  filterStatuses: {
    tags: ["filters"],
    summary: "List the filters: their version, their listeners and their failure policy",
    query: noQuery,
    answer: filterStatusList,
  },
  filterVersions: {
    tags: ["filters"],
    summary: "List the versions of a filter, newest first",
    params: nameParams,
    query: noQuery,
    answer: filterVersionList,
  },
  pushFilter: {
    tags: ["filters"],
    summary: "Upload a compiled filter. The server checks it, runs it once and keeps it",
    params: nameParams,
    query: pushQuery,
    wasm: true,
    answer: filterVersion,
  },
  rollbackFilter: {
    tags: ["filters"],
    summary: "Go back to an earlier version of a filter and to the configuration that it last ran with",
    params: nameParams,
    query: rollbackQuery,
    answer: writeAnswer,
  },
  putSourceMap: {
    tags: ["filters"],
    summary: "Upload the source map of a version, so that its traps can be located",
    params: versionParams,
    query: noQuery,
    body: sourceMap,
    answer: sourceMapKept,
  },
  locateTrap: {
    tags: ["filters"],
    summary: "Locate a trap in the source of a version, from the text that Envoy logged",
    params: versionParams,
    query: noQuery,
    body: trapText,
    answer: trap,
  },
} as const satisfies Readonly<Record<Exclude<RouteName, KindRouteName>, Operation>>;

/** The operations on documents of one kind. In their URLs, `:plural` is the plural of the kind. */
export function kindOperations({ kind, plural }: KindRow) {
  const schemas = kindSchemas.get(kind);
  if (schemas === undefined) throw new Error(`Kind ${kind} has no schemas`);
  const tags = [plural];
  const one = { tags, params: nameParams };
  return {
    documents: { tags, summary: `List the ${plural}`, query: noQuery, answer: schemas.list },
    document: { ...one, summary: `Read one ${kind}`, query: noQuery, answer: schemas.document },
    putDocument: {
      ...one,
      summary: `Create or replace one ${kind}`,
      query: writeQuery,
      body: schemas.written,
      answer: writeAnswer,
    },
    deleteDocument: { ...one, summary: `Delete one ${kind}`, query: writeQuery, answer: writeAnswer },
  } satisfies Readonly<Record<KindRouteName, Operation>>;
}

type Operations = typeof operations & ReturnType<typeof kindOperations>;

/** The response body of an operation. */
export type AnswerTo<Served extends Pick<Operation, "answer">> = Immutable<z.output<Served["answer"]>>;
export type AnswerOf<Name extends RouteName> = AnswerTo<Operations[Name]>;

/** The query string of an operation, as clients send it. */
export type QueryOf<Name extends RouteName> = Readonly<z.input<Operations[Name]["query"]>>;
