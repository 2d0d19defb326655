import type { FastifyInstance } from "fastify";
import { operations } from "../admin-api/operations.ts";
import { routes } from "../admin-api/routes.ts";
import type { Document } from "../model/document.ts";
import type { FilterSpec } from "../model/filter.ts";
import type { Change } from "../model/mesh.ts";
import { didYouMean } from "../model/nearest.ts";
import type { MeshState } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { unknownDocument } from "./documents.ts";
import { requirePreconditions } from "./etag.ts";
import { requestError, shortened } from "./problem-json.ts";
import { serveOperation } from "./serve-operation.ts";
import { write } from "./write.ts";
import { writeRequest } from "./write-request.ts";

/** Restores an earlier version of a filter as a new revision: its module and the configuration that it last ran with. */
export function registerFilterRollback(app: FastifyInstance, deps: AdminDeps): void {
  const { store } = deps;
  serveOperation(app, routes.rollbackFilter, operations.rollbackFilter, (call) => {
    const { name } = call.params;
    const { to } = call.query;
    const what = `Filter "${name}"`;
    const how = writeRequest(call, () =>
      requirePreconditions(call.request.headers, { what, revision: store.revisionOf("Filter", name) }),
    );
    const message = how.message === "" ? `roll back ${name}${to === undefined ? "" : ` to ${to}`}` : how.message;
    const changeOf = async ({ mesh }: MeshState): Promise<Change> => {
      const current = mesh.get("Filter", name);
      if (current === undefined) throw unknownDocument(deps, "Filter", name);
      const wanted = await (to === undefined ? former(deps, current) : named(deps, current, to));
      return { set: [rolledBack(current, wanted)], delete: [] };
    };
    return write(deps, changeOf, { ...how, message });
  });
}

/** The fields that a rollback restores. All others, such as listeners and failure policy, stay as they are. */
interface Wanted {
  readonly sha256: string;
  readonly config: FilterSpec["config"];
}

function rolledBack(current: Document<"Filter">, { sha256, config }: Wanted): Document<"Filter"> {
  const { config: _current, ...spec } = current.spec;
  return { ...current, spec: { ...spec, sha256, ...(config === undefined ? {} : { config }) } };
}

/** The newest state in which the filter ran another module than the current one. */
async function former(deps: AdminDeps, { name, spec }: Document<"Filter">): Promise<Wanted> {
  const found = await newestState(deps, name, ({ sha256 }) => sha256 !== spec.sha256);
  if (found !== undefined) return { sha256: found.sha256, config: found.config };
  throw requestError(
    409,
    "FILTER_NO_FORMER_VERSION",
    `Cannot roll back filter "${name}": it has run only one version`,
    {
      kind: "Filter",
      name,
      hint: `choose a version with --to; chancery filter versions ${name} lists them`,
    },
  );
}

/** A named version, with the configuration that it last ran with. If it never ran: with the current configuration. */
async function named(deps: AdminDeps, { name, spec }: Document<"Filter">, to: string): Promise<Wanted> {
  const versions = deps.catalog.versions(name);
  const sha256 = versions.find(({ version }) => version === to)?.sha256;
  if (sha256 === undefined) {
    const hint = didYouMean(
      to,
      versions.map(({ version }) => version),
    );
    throw requestError(
      404,
      "FILTER_VERSION_UNKNOWN",
      `Cannot roll back filter "${name}": it has no version ${shortened(to)}`,
      {
        kind: "Filter",
        name,
        path: "query.to",
        found: shortened(to),
        hint: hint ?? `chancery filter versions ${name} lists them`,
      },
    );
  }
  const ran = await newestState(deps, name, (each) => each.sha256 === sha256);
  return { sha256, config: ran === undefined ? spec.config : ran.config };
}

/** The newest spec in the kept revisions of a Filter document that has a property. */
async function newestState(
  { store }: AdminDeps,
  name: string,
  has: (spec: FilterSpec) => boolean,
): Promise<FilterSpec | undefined> {
  const pageSize = 100;
  for (let before = store.get().revision + 1; before > 0; ) {
    const page = await store.revisions({ limit: pageSize, before });
    for (const { changes } of page) {
      for (const { kind, name: changed, before: was, after } of changes) {
        if (kind !== "Filter" || changed !== name) continue;
        const states = [after, was].flatMap((document) =>
          document === undefined ? [] : [document.spec as FilterSpec],
        );
        const found = states.find(has);
        if (found !== undefined) return found;
      }
    }
    before = page.at(-1)?.revision ?? 0;
  }
  return undefined;
}
