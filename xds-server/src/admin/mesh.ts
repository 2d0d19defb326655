import type { FastifyInstance } from "fastify";
import { operations } from "../admin-api/operations.ts";
import { routes } from "../admin-api/routes.ts";
import { Mesh } from "../model/mesh.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { bodyValue } from "./body.ts";
import { readChange, readDocuments } from "./changes.ts";
import { changeBetween } from "./document-changes.ts";
import { etag, isNotModified, requirePreconditions } from "./etag.ts";
import { serveOperation } from "./serve-operation.ts";
import { write } from "./write.ts";
import { writeRequest } from "./write-request.ts";

/** Many documents at once: `POST /api/v1/apply`, and the whole mesh at `/api/v1/mesh`. */
export function registerMesh(app: FastifyInstance, deps: AdminDeps): void {
  const { store } = deps;
  const target = () => ({ what: "the mesh", revision: store.get().revision });

  serveOperation(app, routes.apply, operations.apply, (call) => {
    const { request } = call;
    const change = readChange(bodyValue(request));
    return write(
      deps,
      () => change,
      writeRequest(call, () => requirePreconditions(request.headers, target())),
    );
  });

  serveOperation(app, routes.mesh, operations.mesh, ({ request, reply }) => {
    const { revision, mesh } = store.get();
    reply.header("etag", etag(revision));
    if (isNotModified(request.headers, revision)) return reply.code(304).send();
    return [...mesh.documents()];
  });

  serveOperation(app, routes.putMesh, operations.putMesh, async (call) => {
    const { request, reply } = call;
    const wanted = Mesh.of(readDocuments(bodyValue(request)));
    const how = writeRequest(call, () => requirePreconditions(request.headers, target()));
    const answer = await write(deps, ({ mesh }) => changeBetween(mesh, wanted), how);
    reply.header("etag", etag(answer.revision));
    return answer;
  });
}
