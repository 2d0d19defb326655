import type { FastifyInstance } from "fastify";
import { kindOperations } from "../admin-api/operations.ts";
import { ofKind, routes } from "../admin-api/routes.ts";
import type { Document, Kind } from "../model/document.ts";
import { type KindRow, kinds } from "../model/kinds.ts";
import { didYouMean } from "../model/nearest.ts";
import { parseDocuments } from "../reading/parse.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { bodyValue } from "./body.ts";
import { etag, isNotModified, requirePreconditions } from "./etag.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";
import { serveOperation } from "./serve-operation.ts";
import { write } from "./write.ts";
import { writeRequest } from "./write-request.ts";

/** Serves two URLs for each kind, such as `/api/v1/clusters` and `/api/v1/clusters/NAME`. */
export function registerDocuments(app: FastifyInstance, deps: AdminDeps): void {
  for (const row of kinds) registerKind(app, deps, row);
}

function registerKind(app: FastifyInstance, deps: AdminDeps, row: KindRow): void {
  const { store } = deps;
  const { kind, plural } = row;
  const operations = kindOperations(row);

  serveOperation(app, ofKind(routes.documents, plural), operations.documents, () => {
    const { revision, mesh } = store.get();
    return { revision, items: [...mesh.all(kind).values()] };
  });

  serveOperation(app, ofKind(routes.document, plural), operations.document, ({ params: { name }, request, reply }) => {
    const document = store.get().mesh.get(kind, name);
    const revision = store.revisionOf(kind, name);
    if (document === undefined || revision === undefined) throw unknownDocument(deps, kind, name);
    reply.header("etag", etag(revision));
    if (isNotModified(request.headers, revision)) return reply.code(304).send();
    return document;
  });

  serveOperation(app, ofKind(routes.putDocument, plural), operations.putDocument, async (call) => {
    const { request, reply, params } = call;
    const { name } = params;
    const document = readDocument(kind, name, bodyValue(request));
    const how = writeRequest(call, () => requirePreconditions(request.headers, target(deps, kind, name)));
    let since: number | undefined;
    const answer = await write(
      deps,
      () => {
        since = store.revisionOf(kind, name);
        return { set: [document], delete: [] };
      },
      how,
    );
    const isWritten = answer.changes.length > 0 && !answer.dryRun;
    const created = isWritten && since === undefined;
    // This is not read from the store: another writer may have changed the document after this write.
    const revision = isWritten ? answer.revision : since;
    if (revision !== undefined) reply.header("etag", etag(revision));
    reply.code(created ? 201 : 200);
    return answer;
  });

  serveOperation(app, ofKind(routes.deleteDocument, plural), operations.deleteDocument, (call) => {
    const { name } = call.params;
    const how = writeRequest(call, () => {
      requirePreconditions(call.request.headers, target(deps, kind, name));
      if (store.get().mesh.get(kind, name) === undefined) throw unknownDocument(deps, kind, name);
    });
    return write(deps, () => ({ set: [], delete: [{ kind, name }] }), how);
  });
}

/** Reads the body of a PUT: the whole document, or only `{"spec"}`, because the URL has the kind and the name. */
function readDocument(kind: Kind, name: string, value: unknown): Document {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const { documents, problems } = parseDocuments(isObject ? [{ kind, name, ...value }] : [value]);
  const [document] = documents;
  if (problems.length > 0 || document === undefined) throw new RequestError(422, problems);
  if (document.kind === kind && document.name === name) return document;
  const message = `Cannot write ${kind} "${name}": the body is ${document.kind} "${document.name}"`;
  throw requestError(422, "DOCUMENT_MISMATCH", message, {
    kind,
    name,
    path: document.kind === kind ? "name" : "kind",
    found: document.kind === kind ? document.name : document.kind,
    hint: "make the URL and the body name the same document, or send only the spec",
  });
}

function target({ store }: AdminDeps, kind: Kind, name: string): Parameters<typeof requirePreconditions>[1] {
  return { what: `${kind} "${name}"`, revision: store.revisionOf(kind, name) };
}

export function unknownDocument({ store }: AdminDeps, kind: Kind, name: string): RequestError {
  const hint = didYouMean(name, store.get().mesh.all(kind).keys());
  return requestError(404, "DOCUMENT_UNKNOWN", `Cannot find ${kind} "${shortened(name)}"`, {
    kind,
    name: shortened(name),
    hint,
  });
}
