import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Mesh } from "../model/mesh.ts";
import type { Revision } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { changeBetween, changedDocument, meshDifference } from "./document-changes.ts";
import { requirePreconditions } from "./etag.ts";
import { operation } from "./operation.ts";
import { type RequestError, requestError } from "./problem-json.ts";
import { queryOf } from "./query.ts";
import type { RevisionSummary } from "./summaries.ts";
import { write } from "./write.ts";
import { writeQuery, writeRequest } from "./write-request.ts";

export function revisionSummary({ changes, ...revision }: Revision): RevisionSummary {
  return { ...revision, changes: changes.map(changedDocument) };
}

const revisionNumber = z
  .string()
  .regex(/^\d{1,15}$/, "must be a revision's number")
  .transform(Number);

const listQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "must be 1 to 1000")
    .transform(Number)
    .default(50)
    .describe("At most so many, 1 to 1000; 50 when absent"),
  before: revisionNumber.optional().describe("Only revisions before this one"),
});

const diffQuery = z.strictObject({
  from: revisionNumber.describe("0 is the empty mesh before the first revision"),
  to: revisionNumber.optional().describe("The newest revision when absent"),
});

interface Numbered {
  readonly Params: { readonly revision: string };
}

/** Who changed what and when; reading, comparing and restoring it. */
export function registerRevisions(app: FastifyInstance, deps: AdminDeps): void {
  const { store } = deps;
  const tags = ["revisions"];
  const params = z.object({ revision: z.string().describe("The revision's number") });

  const list = { tags, summary: "List the revisions, newest first", query: listQuery, answer: answers.revisions };
  app.get("/api/v1/revisions", operation(list), async (request) => {
    const { limit, before } = queryOf(request, listQuery);
    const { revision } = store.get();
    const revisions = await store.revisions({ limit, ...(before === undefined ? {} : { before }) });
    return { revision, items: revisions.map(revisionSummary) };
  });

  const diff = { tags, summary: "Compare two revisions", query: diffQuery, answer: answers.revisionDiff };
  app.get("/api/v1/revisions/diff", operation(diff), async (request) => {
    const { from, to = store.get().revision } = queryOf(request, diffQuery);
    const changes = meshDifference(await meshAt(deps, from), await meshAt(deps, to));
    return { from, to, changes: changes.map((change) => ({ ...changedDocument(change), ...change })) };
  });

  const one = { tags, params, summary: "Read one revision with what it changed", answer: answers.revision };
  app.get<Numbered>("/api/v1/revisions/:revision", operation(one), async (request) => {
    queryOf(request, z.strictObject({}));
    const revision = await store.revision(readNumber(request.params.revision));
    if (revision === undefined) throw unknownRevision(deps, request.params.revision);
    return { ...revision, changes: revision.changes.map((change) => ({ ...changedDocument(change), ...change })) };
  });

  const restore = {
    tags,
    params,
    summary: "Make the mesh what it was at a revision, as a new revision",
    query: writeQuery,
  };
  const restoreUrl = "/api/v1/revisions/:revision/restore";
  app.post<Numbered>(restoreUrl, operation({ ...restore, answer: answers.write }), async (request, reply) => {
    const revision = readNumber(request.params.revision);
    const wanted = await meshAt(deps, revision);
    const asked = writeRequest(request, reply, () =>
      requirePreconditions(request.headers, { what: "the mesh", revision: store.get().revision }),
    );
    const message = asked.message === "" ? `restore revision ${revision}` : asked.message;
    return write(deps, ({ mesh }) => changeBetween(mesh, wanted), { ...asked, message });
  });
}

async function meshAt(deps: AdminDeps, revision: number): Promise<Mesh> {
  const mesh = revision === 0 ? Mesh.empty : await deps.store.meshAt(revision);
  if (mesh === undefined) throw unknownRevision(deps, String(revision));
  return mesh;
}

/** A path that is no number names no revision: -1 is never found. */
function readNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : -1;
}

function unknownRevision({ store }: AdminDeps, revision: string): RequestError {
  return requestError(
    404,
    "REVISION_UNKNOWN",
    "Cannot find this revision: it does not exist, or is older than what is kept",
    {
      path: "revision",
      found: revision.slice(0, 20),
      hint: `the newest revision is ${store.get().revision}`,
    },
  );
}
