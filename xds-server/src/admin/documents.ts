import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Document, Kind } from "../model/document.ts";
import { type KindRow, kinds } from "../model/kinds.ts";
import { didYouMean } from "../model/nearest.ts";
import { parseDocuments } from "../reading/parse.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers, kindAnswers } from "./answers.ts";
import { bodyValue } from "./body.ts";
import { etag, isNotModified, requirePreconditions } from "./etag.ts";
import { nameParams, operation } from "./operation.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";
import { queryOf } from "./query.ts";
import { write } from "./write.ts";
import { writeQuery, writeRequest } from "./write-request.ts";

/** `/api/v1/clusters`, `/api/v1/clusters/NAME` and their like, one pair for each kind. */
export function registerDocuments(app: FastifyInstance, deps: AdminDeps): void {
  for (const row of kinds) registerKind(app, deps, row);
}

interface Named {
  readonly Params: { readonly name: string };
}

function registerKind(app: FastifyInstance, deps: AdminDeps, { kind, plural }: KindRow): void {
  const { store } = deps;
  const tags = [plural];
  const schemas = kindAnswers.get(kind);
  if (schemas === undefined) throw new Error(`Kind ${kind} has no schemas`);

  app.get(`/api/v1/${plural}`, operation({ tags, summary: `List the ${plural}`, answer: schemas.list }), (request) => {
    queryOf(request, z.strictObject({}));
    const { revision, mesh } = store.get();
    return { revision, items: [...mesh.all(kind).values()] };
  });

  const url = `/api/v1/${plural}/:name`;
  const params = nameParams;

  app.get<Named>(
    url,
    operation({ tags, params, summary: `Read one ${kind}`, answer: schemas.document }),
    (request, reply) => {
      queryOf(request, z.strictObject({}));
      const { name } = request.params;
      const document = store.get().mesh.get(kind, name);
      const revision = store.revisionOf(kind, name);
      if (document === undefined || revision === undefined) throw unknownDocument(deps, kind, name);
      reply.header("etag", etag(revision));
      if (isNotModified(request.headers, revision)) return reply.code(304).send();
      return document;
    },
  );

  const put = { tags, params, summary: `Create or change one ${kind}`, query: writeQuery };
  app.put<Named>(url, operation({ ...put, body: schemas.written, answer: answers.write }), async (request, reply) => {
    const { name } = request.params;
    const document = readDocument(kind, name, bodyValue(request));
    const asked = writeRequest(request, reply, () => requirePreconditions(request.headers, target(deps, kind, name)));
    let since: number | undefined;
    const answer = await write(
      deps,
      () => {
        since = store.revisionOf(kind, name);
        return { set: [document], delete: [] };
      },
      asked,
    );
    const isWritten = answer.changes.length > 0 && !answer.dryRun;
    const created = isWritten && since === undefined;
    // Not as it stands by now: others may have written it after this.
    const revision = isWritten ? answer.revision : since;
    if (revision !== undefined) reply.header("etag", etag(revision));
    return reply.code(created ? 201 : 200).send(answer);
  });

  const remove = { tags, params, summary: `Delete one ${kind}`, query: writeQuery };
  app.delete<Named>(url, operation({ ...remove, answer: answers.write }), (request, reply) => {
    const { name } = request.params;
    const asked = writeRequest(request, reply, () => {
      requirePreconditions(request.headers, target(deps, kind, name));
      if (store.get().mesh.get(kind, name) === undefined) throw unknownDocument(deps, kind, name);
    });
    return write(deps, () => ({ set: [], delete: [{ kind, name }] }), asked);
  });
}

/** The body of a PUT: the whole document, or only its `{"spec"}`, since the URL says the rest. */
function readDocument(kind: Kind, name: string, value: unknown): Document {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const { documents, problems } = parseDocuments(isObject ? [{ kind, name, ...value }] : [value]);
  const [document] = documents;
  if (problems.length > 0 || document === undefined) throw new RequestError(422, problems);
  if (document.kind === kind && document.name === name) return document;
  throw new RequestError(422, [
    {
      code: "DOCUMENT_MISMATCH",
      message: `Cannot write ${kind} "${name}": the body is ${document.kind} "${document.name}"`,
      kind,
      name,
      path: document.kind === kind ? "name" : "kind",
      found: document.kind === kind ? document.name : document.kind,
      hint: "make the URL and the body name the same document, or send only the spec",
    },
  ]);
}

function target({ store }: AdminDeps, kind: Kind, name: string): Parameters<typeof requirePreconditions>[1] {
  return { what: `${kind} "${name}"`, revision: store.revisionOf(kind, name) };
}

export function unknownDocument({ store }: AdminDeps, kind: Kind, name: string): RequestError {
  const hint = didYouMean(name, store.get().mesh.all(kind).keys());
  return requestError(404, "DOCUMENT_UNKNOWN", `Cannot find ${kind} "${shortened(name)}"`, {
    kind,
    name: shortened(name),
    ...(hint === undefined ? {} : { hint }),
  });
}
