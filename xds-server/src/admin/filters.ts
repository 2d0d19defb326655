import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Artifact } from "../filter-registry/catalog.ts";
import { documentName } from "../model/fields.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { bodyWasm } from "./body.ts";
import { nameParams, operation } from "./operation.ts";
import { Refusal, refusal, shortened } from "./problem-json.ts";
import { queryOf } from "./query.ts";

/** One uploaded module, without its bytes. */
export interface FilterVersion {
  readonly filter: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number;
  /** The Filter documents that use it. */
  readonly usedBy: readonly string[];
}

interface Named {
  readonly Params: { readonly name: string };
}

/** Uploading compiled filters, and listing what was uploaded. Which version runs where is said by Filter documents. */
export function registerFilters(app: FastifyInstance, { store, catalog }: AdminDeps): void {
  const tags = ["filters"];
  const versions = (artifacts: readonly Artifact[]): readonly FilterVersion[] => {
    const filters = [...store.get().mesh.all("Filter").values()];
    return artifacts.map(({ filter, sha256, wasm, uploadedAt }) => {
      const usedBy = filters.filter(({ spec }) => spec.sha256 === sha256).map(({ name }) => name);
      return { filter, sha256, bytes: wasm.byteLength, uploadedAt, usedBy };
    });
  };

  const all = { tags, summary: "List every uploaded module, newest first", answer: answers.filterVersions };
  app.get("/api/v1/filter-versions", operation(all), (request) => {
    queryOf(request, z.strictObject({}));
    return { items: versions(catalog.list()) };
  });

  const url = "/api/v1/filters/:name/versions";
  const list = { tags, params: nameParams, summary: "List the uploaded modules of a filter, newest first" };
  app.get<Named>(url, operation({ ...list, answer: answers.filterVersions }), (request) => {
    queryOf(request, z.strictObject({}));
    return { items: versions(catalog.list(request.params.name)) };
  });

  const upload = {
    tags,
    params: nameParams,
    summary: "Upload a compiled filter; it is checked and kept",
    wasm: true,
  } as const;
  app.post<Named>(url, operation({ ...upload, answer: answers.filterVersion }), async (request, reply) => {
    queryOf(request, z.strictObject({}));
    const filter = request.params.name;
    const named = documentName.safeParse(filter);
    if (!named.success) {
      const why = named.error.issues.map(({ message }) => message).join("; ");
      throw refusal(422, "FILTER_NAME_INVALID", `Cannot keep the module: the filter's name is not valid: ${why}`, {
        path: "name",
        found: shortened(filter),
      });
    }
    const wasm = bodyWasm(request);
    const added = await catalog.add({ filter, wasm });
    if (!added.ok)
      throw new Refusal(
        422,
        added.causes.map((cause) => moduleProblem(filter, cause)),
      );
    const [version] = versions([added.artifact]);
    return reply.code(201).send(version);
  });
}

function moduleProblem(filter: string, cause: string) {
  const message = `Cannot keep this module for filter "${filter}": ${cause}`;
  return { code: "FILTER_MODULE_REFUSED", message, kind: "Filter", name: filter, path: "" };
}
