import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { failureOf } from "../compile/filters.ts";
import { versionName } from "../filter-registry/manifest.ts";
import type { ModuleFault } from "../filter-registry/module-fault.ts";
import type { FilterVersion as KeptVersion } from "../filter-registry/versions.ts";
import type { Document } from "../model/document.ts";
import { documentName } from "../model/fields.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { bodyWasm } from "./body.ts";
import { nameParams, operation } from "./operation.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";
import { queryOf } from "./query.ts";
import type { FilterStatus, FilterVersion } from "./summaries.ts";

const uploadQuery = z.strictObject({
  version: versionName
    .optional()
    .describe("Its version, which must not have other bytes; what the module's manifest says when absent"),
});

interface Named {
  readonly Params: { readonly name: string };
}

/** Uploading compiled filters, and listing what was uploaded. Which version runs where is said by Filter documents. */
export function registerFilters(app: FastifyInstance, deps: AdminDeps): void {
  const { store, catalog } = deps;
  const tags = ["filters"];
  const described = (version: KeptVersion): FilterVersion => {
    const artifact = catalog.get().get(version.sha256);
    const filters = [...store.get().mesh.all("Filter").values()];
    const uses = ({ spec }: Document<"Filter">) => [spec.sha256, spec.canary?.sha256].includes(version.sha256);
    const usedBy = filters.filter(uses).map(({ name }) => name);
    if (artifact === undefined) return { ...version, bytes: 0, usedBy };
    const { abi, hostCalls: capabilities, manifest } = artifact.facts;
    const description = manifest?.description === undefined ? {} : { description: manifest.description };
    return { ...version, bytes: artifact.wasm.byteLength, abi, capabilities, ...description, usedBy };
  };

  const all = { tags, summary: "List every version of every filter, newest first", answer: answers.filterVersions };
  app.get("/api/v1/filter-versions", operation(all), (request) => {
    queryOf(request, z.strictObject({}));
    return { items: catalog.versions().map(described) };
  });

  const status = { tags, summary: "Say what each filter runs, where, and what its failure does" };
  app.get("/api/v1/filter-status", operation({ ...status, answer: answers.filterStatuses }), (request) => {
    queryOf(request, z.strictObject({}));
    return { items: filterStatuses(deps) };
  });

  const url = "/api/v1/filters/:name/versions";
  const list = { tags, params: nameParams, summary: "List the versions of a filter, newest first" };
  app.get<Named>(url, operation({ ...list, answer: answers.filterVersions }), (request) => {
    queryOf(request, z.strictObject({}));
    return { items: catalog.versions(request.params.name).map(described) };
  });

  const upload = {
    tags,
    params: nameParams,
    query: uploadQuery,
    summary: "Upload a compiled filter; it is checked, tried and kept",
    wasm: true,
  } as const;
  app.post<Named>(url, operation({ ...upload, answer: answers.filterVersion }), async (request, reply) => {
    const { version } = queryOf(request, uploadQuery);
    const filter = request.params.name;
    const named = documentName.safeParse(filter);
    if (!named.success) {
      const why = named.error.issues.map(({ message }) => message).join("; ");
      throw requestError(422, "FILTER_NAME_INVALID", `Cannot keep the module: the filter's name is not valid: ${why}`, {
        path: "name",
        found: shortened(filter),
      });
    }
    const wasm = bodyWasm(request);
    const added = await catalog.add({ filter, wasm, ...(version === undefined ? {} : { version }) });
    if (!added.ok) throw moduleError(filter, added.faults);
    return reply.code(201).send(described(added.version));
  });
}

function filterStatuses({ store, catalog }: AdminDeps): readonly FilterStatus[] {
  return [...store.get().mesh.all("Filter").values()].map((document): FilterStatus => {
    const { name, spec } = document;
    const named = (sha256: string) => {
      const versions = catalog.versions().filter((each) => each.sha256 === sha256);
      const version = (versions.find(({ filter }) => filter === name) ?? versions[0])?.version;
      return { sha256, ...(version === undefined ? {} : { version }) };
    };
    const { canary, listeners } = spec;
    const inFlight = canary === undefined ? {} : { canary: { ...named(canary.sha256), percent: canary.percent } };
    const status = { name, ...named(spec.sha256), listeners, ...inFlight };
    const artifact = catalog.get().get(spec.sha256);
    if (artifact === undefined) return status;
    const { hostCalls } = artifact.facts;
    const capabilities = hostCalls.filter((call) => spec.capabilities?.includes(call) ?? true);
    return { ...status, failure: failureOf(document, artifact), capabilities };
  });
}

function moduleError(filter: string, faults: readonly ModuleFault[]): RequestError {
  const isTaken = faults.some(({ code }) => code === "FILTER_VERSION_TAKEN");
  return new RequestError(
    isTaken ? 409 : 422,
    faults.map(({ code, message, hint, path = "", found }) => ({
      code,
      message: `Cannot keep this module for filter "${shortened(filter)}": it ${message}`,
      kind: "Filter",
      name: filter,
      path,
      ...(found === undefined ? {} : { found }),
      ...(hint === undefined ? {} : { hint }),
    })),
  );
}
