import type { FastifyInstance } from "fastify";
import { operations } from "../admin-api/operations.ts";
import type { RevisionSummary } from "../admin-api/revisions.ts";
import { routes } from "../admin-api/routes.ts";
import { Mesh } from "../model/mesh.ts";
import type { Revision } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { changeBetween, changedDocument, meshDifference } from "./document-changes.ts";
import { requirePreconditions } from "./etag.ts";
import { type RequestError, requestError, shortened } from "./problem-json.ts";
import { serveOperation } from "./serve-operation.ts";
import { write } from "./write.ts";
import { writeRequest } from "./write-request.ts";

export function revisionSummary({ changes, ...revision }: Revision): RevisionSummary {
  return { ...revision, changes: changes.map(changedDocument) };
}

/** Lists, reads, compares and restores revisions. */
export function registerRevisions(app: FastifyInstance, deps: AdminDeps): void {
  const { store } = deps;

  serveOperation(app, routes.revisions, operations.revisions, async ({ query: { limit, before } }) => {
    const { revision } = store.get();
    const revisions = await store.revisions({ limit, ...(before === undefined ? {} : { before }) });
    return { revision, items: revisions.map(revisionSummary) };
  });

  serveOperation(
    app,
    routes.revisionDiff,
    operations.revisionDiff,
    async ({ query: { from, to = store.get().revision } }) => {
      const changes = meshDifference(await meshAt(deps, from), await meshAt(deps, to));
      return { from, to, changes: changes.map((change) => ({ ...changedDocument(change), ...change })) };
    },
  );

  serveOperation(app, routes.revision, operations.revision, async ({ params }) => {
    const revision = await store.revision(readNumber(params.revision));
    if (revision === undefined) throw unknownRevision(deps, params.revision);
    return { ...revision, changes: revision.changes.map((change) => ({ ...changedDocument(change), ...change })) };
  });

  serveOperation(app, routes.restore, operations.restore, async (call) => {
    const revision = readNumber(call.params.revision);
    const wanted = await meshAt(deps, revision);
    const how = writeRequest(call, () =>
      requirePreconditions(call.request.headers, { what: "the mesh", revision: store.get().revision }),
    );
    const message = how.message === "" ? `restore revision ${revision}` : how.message;
    return write(deps, ({ mesh }) => changeBetween(mesh, wanted), { ...how, message });
  });
}

async function meshAt(deps: AdminDeps, revision: number): Promise<Mesh> {
  const mesh = revision === 0 ? Mesh.empty : await deps.store.meshAt(revision);
  if (mesh === undefined) throw unknownRevision(deps, String(revision));
  return mesh;
}

/** The number in a path. -1, which is no revision, when it is not a number. */
function readNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : -1;
}

function unknownRevision({ store }: AdminDeps, revision: string): RequestError {
  return requestError(
    404,
    "REVISION_UNKNOWN",
    `Cannot find revision ${shortened(revision)}: it does not exist, or it is no longer kept`,
    {
      path: "revision",
      found: shortened(revision),
      hint: `the newest revision is ${store.get().revision}`,
    },
  );
}
