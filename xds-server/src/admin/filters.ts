import type { FastifyInstance } from "fastify";
import type { FilterStatus, FilterVersion } from "../admin-api/filters.ts";
import { operations } from "../admin-api/operations.ts";
import { routes } from "../admin-api/routes.ts";
import { failureOf } from "../compile/filters.ts";
import type { FilterVersion as KeptVersion } from "../filter-registry/versions.ts";
import type { Document } from "../model/document.ts";
import { documentName } from "../model/fields.ts";
import { type Fault, problemOf } from "../model/problem.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { bodyWasm } from "./body.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";
import { serveOperation } from "./serve-operation.ts";

/** The routes for compiled filters: upload a version, list versions, show what runs. */
export function registerFilters(app: FastifyInstance, deps: AdminDeps): void {
  const { store, catalog } = deps;
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

  serveOperation(app, routes.allFilterVersions, operations.allFilterVersions, () => ({
    items: catalog.versions().map(described),
  }));

  serveOperation(app, routes.filterStatuses, operations.filterStatuses, () => ({ items: filterStatuses(deps) }));

  serveOperation(app, routes.filterVersions, operations.filterVersions, ({ params }) => ({
    items: catalog.versions(params.name).map(described),
  }));

  serveOperation(
    app,
    routes.pushFilter,
    operations.pushFilter,
    async ({ query: { version }, params, request, reply }) => {
      const filter = params.name;
      const named = documentName.safeParse(filter);
      if (!named.success) {
        const why = named.error.issues.map(({ message }) => message).join("; ");
        throw requestError(
          422,
          "FILTER_NAME_INVALID",
          `Cannot keep the module: the filter's name is not valid: ${why}`,
          {
            path: "name",
            found: shortened(filter),
          },
        );
      }
      const wasm = bodyWasm(request);
      const added = await catalog.add({ filter, wasm, ...(version === undefined ? {} : { version }) });
      if (!added.ok) throw moduleError(filter, added.faults);
      reply.code(201);
      return described(added.version);
    },
  );
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

function moduleError(filter: string, faults: readonly Fault[]): RequestError {
  const isTaken = faults.some(({ code }) => code === "FILTER_VERSION_TAKEN");
  const context = {
    action: `Cannot keep this module for filter "${shortened(filter)}"`,
    subject: "it",
    kind: "Filter",
    name: filter,
  };
  return new RequestError(
    isTaken ? 409 : 422,
    faults.map((fault) => problemOf(fault, context)),
  );
}
