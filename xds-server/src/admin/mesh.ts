import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Mesh } from "../model/mesh.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { bodyValue } from "./body.ts";
import { readChange, readDocuments } from "./changes.ts";
import { changeBetween } from "./document-changes.ts";
import { etag, isNotModified, requirePreconditions } from "./etag.ts";
import { operation } from "./operation.ts";
import { queryOf } from "./query.ts";
import { write } from "./write.ts";
import { writeQuery, writeRequest } from "./write-request.ts";

/** Many documents at once: `POST /api/v1/apply`, and the whole mesh at `/api/v1/mesh`. */
export function registerMesh(app: FastifyInstance, deps: AdminDeps): void {
  const { store } = deps;
  const tags = ["mesh"];
  const target = () => ({ what: "the mesh", revision: store.get().revision });

  const apply = { tags, summary: "Set and delete documents as one revision, all or nothing", query: writeQuery };
  app.post("/api/v1/apply", operation({ ...apply, body: answers.change, answer: answers.write }), (request, reply) => {
    const change = readChange(bodyValue(request));
    const asked = writeRequest(request, reply, () => requirePreconditions(request.headers, target()));
    return write(deps, () => change, asked);
  });

  const read = { tags, summary: "Read every document", answer: answers.anyDocuments };
  app.get("/api/v1/mesh", operation(read), (request, reply) => {
    queryOf(request, z.strictObject({}));
    const { revision, mesh } = store.get();
    reply.header("etag", etag(revision));
    if (isNotModified(request.headers, revision)) return reply.code(304).send();
    return reply.send([...mesh.documents()]);
  });

  const replace = { tags, summary: "Replace the whole mesh by a list of documents", query: writeQuery };
  app.put(
    "/api/v1/mesh",
    operation({ ...replace, body: answers.anyDocuments, answer: answers.write }),
    async (request, reply) => {
      const wanted = Mesh.of(readDocuments(bodyValue(request)));
      const asked = writeRequest(request, reply, () => requirePreconditions(request.headers, target()));
      const answer = await write(deps, ({ mesh }) => changeBetween(mesh, wanted), asked);
      return reply.header("etag", etag(answer.revision)).send(answer);
    },
  );
}
