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

/** What an operation takes and answers. Its handler reads requests by these schemas, and `/openapi.json` shows them. */
export interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query: z.ZodType;
  /** A component: the JSON or YAML body. */
  readonly body?: z.ZodType;
  /** The body is a Wasm module. */
  readonly wasm?: true;
  /** A component: the JSON answer. */
  readonly answer: z.ZodType;
}

type KindRouteName = "documents" | "document" | "putDocument" | "deleteDocument";

/** All operations except those of the kinds of documents. routes.ts has their methods and URLs. */
export const operations = {
  apply: {
    tags: ["mesh"],
    summary: "Set and delete documents as one revision, all or nothing",
    query: writeQuery,
    body: change,
    answer: writeAnswer,
  },
  mesh: { tags: ["mesh"], summary: "Read every document", query: noQuery, answer: anyDocuments },
  putMesh: {
    tags: ["mesh"],
    summary: "Replace the whole mesh by a list of documents",
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
    summary: "Read one revision with what it changed",
    params: revisionParams,
    query: noQuery,
    answer: revision,
  },
  restore: {
    tags: ["revisions"],
    summary: "Make the mesh what it was at a revision, as a new revision",
    params: revisionParams,
    query: writeQuery,
    answer: writeAnswer,
  },
  proxies: {
    tags: ["proxies"],
    summary: "List the proxies and what they hold",
    query: proxiesQuery,
    answer: proxyList,
  },
  proxy: {
    tags: ["proxies"],
    summary: "Read one proxy, stream by stream",
    params: proxyParams,
    query: noQuery,
    answer: proxy,
  },
  proxyConfig: {
    tags: ["proxies"],
    summary: "Read what a proxy was sent, secrets redacted",
    params: proxyParams,
    query: noQuery,
    answer: proxyConfig,
  },
  load: {
    tags: ["load"],
    summary: "Read the load on clusters, localities and endpoints, as the proxies report it",
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
    summary: "Say what each filter runs, where, and what its failure does",
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
    summary: "Upload a compiled filter; it is checked, tried and kept",
    params: nameParams,
    query: pushQuery,
    wasm: true,
    answer: filterVersion,
  },
  rollbackFilter: {
    tags: ["filters"],
    summary: "Go back to an earlier version of a filter, with the configuration that it last ran with",
    params: nameParams,
    query: rollbackQuery,
    answer: writeAnswer,
  },
  putSourceMap: {
    tags: ["filters"],
    summary: "Keep the source map of a version, by which its traps are located",
    params: versionParams,
    query: noQuery,
    body: sourceMap,
    answer: sourceMapKept,
  },
  locateTrap: {
    tags: ["filters"],
    summary: "Say where in its source a version trapped, from the text that Envoy logged",
    params: versionParams,
    query: noQuery,
    body: trapText,
    answer: trap,
  },
} as const satisfies Readonly<Record<Exclude<RouteName, KindRouteName>, Operation>>;

/** The operations of one kind of document. In their URLs, `:plural` is the plural of the kind. */
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
      summary: `Create or change one ${kind}`,
      query: writeQuery,
      body: schemas.written,
      answer: writeAnswer,
    },
    deleteDocument: { ...one, summary: `Delete one ${kind}`, query: writeQuery, answer: writeAnswer },
  } satisfies Readonly<Record<KindRouteName, Operation>>;
}

type Operations = typeof operations & ReturnType<typeof kindOperations>;

/** What an operation answers. */
export type AnswerTo<Asked extends Pick<Operation, "answer">> = Immutable<z.output<Asked["answer"]>>;
export type AnswerOf<Name extends RouteName> = AnswerTo<Operations[Name]>;

/** The query string of an operation, as clients send it. */
export type QueryOf<Name extends RouteName> = Readonly<z.input<Operations[Name]["query"]>>;
