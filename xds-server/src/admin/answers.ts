import type { TrapLocation } from "@chancery/filter-sdk/locate";
import { z } from "zod";
import type { ClusterLoad, ProxyLoad } from "../load/load-reports.ts";
import { kinds } from "../model/kinds.ts";
import type { Problem } from "../model/problem.ts";
import { proxyStates } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import type { ChangedDocument } from "./document-changes.ts";
import type { GroupImpact } from "./impact.ts";
import type { ProblemDetails } from "./problem-json.ts";
import type { Outcome, ResourceRejection } from "./settled.ts";
import type { FilterStatus, FilterVersion, ProxySummary, RevisionSummary, SentResource } from "./summaries.ts";
import type { WriteAnswer } from "./write.ts";

/** The bodies and answers of the admin API under the names that `/openapi.json` gives them. */
export const components = z.registry<{ readonly id: string }>();

/** A schema that `/openapi.json` lists by name. */
function component<S extends z.ZodType>(id: string, schema: S): S {
  components.add(schema, { id });
  return schema;
}

const milliseconds = z.int().describe("Milliseconds since the epoch");
const newestRevision = z.int().describe("The newest revision");
const syncState = z.enum(["synced", "pending", "rejected"]);
const changeWord = z.enum(["created", "changed", "deleted"]);

const kindDocuments = new Map(
  kinds.map(({ kind, schema }) => {
    const document = z.strictObject({ kind: z.literal(kind), name: z.string().min(1).max(253), spec: schema });
    return [kind, component(kind, document)];
  }),
);
const anyDocument = component("Document", z.union([...kindDocuments.values()]));
const anyDocuments = component("DocumentList", z.array(anyDocument));
const documentKey = component(
  "DocumentKey",
  z.strictObject({ kind: z.enum(kinds.map(({ kind }) => kind)), name: z.string() }),
);

const changedDocument = z.object({
  ...documentKey.shape,
  change: changeWord,
}) satisfies z.ZodType<ChangedDocument>;
const documentChange = component(
  "DocumentChange",
  changedDocument.extend({ before: anyDocument.optional(), after: anyDocument.optional() }),
);

const resourceRejection = component(
  "ResourceRejection",
  z.object({
    type: z.string().describe('"ECDS"'),
    name: z.string(),
    version: z.string(),
    reason: z.string().describe("The proxy's own words"),
    suspects: z
      .int()
      .exactOptional()
      .describe("How many resources are rejected together, where the reason names none of them: each may be at fault"),
    at: milliseconds,
  }) satisfies z.ZodType<ResourceRejection>,
);

const groupImpact = z.object({
  nodeGroup: z.string(),
  from: z.string().exactOptional().describe("The node group that the proxies leave for this one"),
  resources: z.array(z.object({ type: z.string(), name: z.string(), change: changeWord })),
  proxies: z.array(z.string()).describe("Connected proxies of the group, or that move to it"),
}) satisfies z.ZodType<GroupImpact>;

const outcome = z.object({
  nodeId: z.string(),
  nodeGroup: z.string(),
  state: z.enum(proxyStates),
  rejections: z.array(resourceRejection),
}) satisfies z.ZodType<Outcome>;

const write = z.object({
  revision: newestRevision,
  dryRun: z.boolean(),
  changes: z.array(documentChange),
  unchanged: z.array(documentKey).describe("Sent, and already so"),
  impact: z.array(groupImpact).exactOptional().describe("What changes for whom; in dry runs and when waiting"),
  proxies: z.array(outcome).exactOptional().describe("What became of it, when the request asked to wait"),
}) satisfies z.ZodType<Omit<WriteAnswer, "changes">>;

const revisionHead = { revision: z.int(), time: milliseconds, author: z.string(), message: z.string() };
const revisionSummary = z.object({
  ...revisionHead,
  changes: z.array(changedDocument),
}) satisfies z.ZodType<RevisionSummary>;

const typeStatus = z.object({
  typeUrl: z.string(),
  shortName: z.string(),
  state: syncState,
  resources: z.array(
    z.object({
      name: z.string(),
      state: syncState,
      wanted: z.string().exactOptional(),
      sent: z.string().exactOptional(),
      accepted: z.string().exactOptional(),
      rejection: resourceRejection.omit({ type: true, name: true }).exactOptional(),
    }),
  ),
});
const stream = { id: z.int(), peer: z.string(), variant: z.enum(["sotw", "delta"]) };
const proxyHead = {
  nodeId: z.string(),
  cluster: z.string(),
  nodeGroup: z.string(),
  version: z.string().exactOptional(),
  since: milliseconds,
};
const proxy = z.object({
  ...proxyHead,
  state: z.enum(proxyStates),
  streams: z.array(z.object({ ...stream, openedAt: milliseconds, types: z.array(typeStatus) })),
}) satisfies z.ZodType<Omit<ProxyStatus, "streams">>;
const requests = {
  issued: z.int().describe("Requests sent"),
  succeeded: z.int().describe("Answered without a fault of the endpoint"),
  failed: z.int(),
  inProgress: z.int().describe("Not answered at the end of the last interval"),
  perSecond: z.number().describe("Requests sent in each second of the last interval"),
};
const load = {
  ...requests,
  metrics: z
    .array(z.object({ name: z.string(), count: z.int(), total: z.number() }))
    .exactOptional()
    .describe("What endpoints said of themselves (ORCA): in how many answers, and the sum"),
};
const dropped = z.int().describe("Dropped on purpose, by a drop policy or over a limit");
const proxyLoad = z.object({
  clusters: z.int(),
  ...requests,
  dropped,
  reportedAt: milliseconds,
}) satisfies z.ZodType<ProxyLoad>;
const clusterLoad = z.object({
  cluster: z.string(),
  proxies: z.int().describe("How many proxies reported it"),
  ...load,
  dropped,
  localities: z.array(
    z.object({
      region: z.string(),
      zone: z.string(),
      subZone: z.string(),
      priority: z.int(),
      ...load,
      endpoints: z.array(z.object({ address: z.string(), ...load })),
    }),
  ),
}) satisfies z.ZodType<ClusterLoad>;

const proxySummary = z.object({
  ...proxyHead,
  state: z.enum(proxyStates),
  streams: z.int().describe("How many are open"),
  types: z.array(
    z.object({ type: z.string(), state: syncState, resources: z.int(), rejections: z.array(resourceRejection) }),
  ),
  load: proxyLoad.exactOptional().describe("What the proxy reports of the load behind it, if it does"),
}) satisfies z.ZodType<ProxySummary>;
const sentResource = z.object({
  name: z.string(),
  version: z.string().exactOptional(),
  state: syncState,
  resource: z.unknown().optional().describe("Envoy's proto-JSON"),
}) satisfies z.ZodType<SentResource>;
const sentType = z.object({ type: z.string(), typeUrl: z.string(), resources: z.array(sentResource) });

const filterVersion = component(
  "FilterVersion",
  z.object({
    filter: z.string(),
    version: z.string().describe("Unique within its filter; never means other bytes"),
    sha256: z.string(),
    pushedAt: milliseconds,
    bytes: z.int().describe("0 when the module was lost"),
    abi: z.string().exactOptional().describe("proxy-wasm, as the module says"),
    capabilities: z.array(z.string()).exactOptional().describe("The host calls that it imports"),
    description: z.string().exactOptional(),
    usedBy: z.array(z.string()).describe("Filter documents"),
  }) satisfies z.ZodType<FilterVersion>,
);
const filterStatus = z.object({
  name: z.string(),
  version: z.string().exactOptional(),
  sha256: z.string(),
  listeners: z.array(z.string()),
  failure: z.string().exactOptional().describe("closed, open or reload, as it is in force"),
  capabilities: z.array(z.string()).exactOptional().describe("The host calls that it may make"),
  canary: z
    .object({ version: z.string().exactOptional(), sha256: z.string(), percent: z.number() })
    .exactOptional()
    .describe("The version that a share of the requests gets"),
}) satisfies z.ZodType<FilterStatus>;

const place = z.object({ file: z.string(), line: z.int(), column: z.int() });

const problem = component(
  "Problem",
  z.object({
    code: z.string().describe("Stable, explained in docs/PROBLEMS.md"),
    message: z.string(),
    kind: z.string().exactOptional(),
    name: z.string().exactOptional(),
    path: z.string().describe('Where: "spec.routes[2].cluster"'),
    found: z.string().exactOptional(),
    hint: z.string().exactOptional(),
    source: z.string().exactOptional(),
  }) satisfies z.ZodType<Problem>,
);

const listOf = <S extends z.ZodType>(items: S) => z.object({ revision: newestRevision, items: z.array(items) });

/** Every body and answer. */
export const answers = {
  problemDetails: component(
    "ProblemDetails",
    z.object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      problems: z.array(problem),
    }) satisfies z.ZodType<ProblemDetails>,
  ),
  write: component("WriteAnswer", write),
  anyDocuments,
  change: component(
    "Change",
    z.union([
      anyDocuments,
      anyDocument,
      z.strictObject({ set: anyDocuments.optional(), delete: z.array(documentKey).optional() }),
    ]),
  ),
  revisions: component("RevisionList", listOf(revisionSummary)),
  revision: component("Revision", z.object({ ...revisionHead, changes: z.array(documentChange) })),
  revisionDiff: component("RevisionDiff", z.object({ from: z.int(), to: z.int(), changes: z.array(documentChange) })),
  proxies: component(
    "ProxyList",
    listOf(proxySummary).extend({
      next: z.string().exactOptional().describe("There are more: ask again with this as `after`"),
    }),
  ),
  proxy: component("Proxy", proxy),
  proxyConfig: component(
    "ProxyConfig",
    z.object({ nodeId: z.string(), streams: z.array(z.object({ ...stream, types: z.array(sentType) })) }),
  ),
  load: component(
    "LoadList",
    z.object({ items: z.array(clusterLoad), omitted: z.int().describe("Places reported and not kept: too many") }),
  ),
  filterVersion,
  filterVersions: component("FilterVersionList", z.object({ items: z.array(filterVersion) })),
  sourceMap: component(
    "SourceMap",
    z.looseObject({ version: z.literal(3), sources: z.array(z.string().nullable()), mappings: z.string() }),
  ),
  sourceMapKept: component("SourceMapKept", z.object({ sha256: z.string().describe("Of the module") })),
  trapText: component("TrapText", z.strictObject({ text: z.string().describe("What Envoy logged") })),
  trap: component(
    "Trap",
    z.object({
      filter: z.string().exactOptional(),
      version: z.string().exactOptional(),
      callback: z.string().exactOptional(),
      cause: z.string().describe('"unreachable", "out of fuel"'),
      at: place.exactOptional().describe("The innermost place in the filter's own source"),
      places: z.array(place).describe("Innermost first"),
    }) satisfies z.ZodType<TrapLocation>,
  ),
  filterStatuses: component("FilterStatusList", z.object({ items: z.array(filterStatus) })),
};

/** The schemas of one kind: its document, the body of a PUT, and the list. */
export const kindAnswers = new Map(
  kinds.map(({ kind, plural, schema }) => {
    const document = kindDocuments.get(kind) ?? anyDocument;
    const specOnly = z.strictObject({ spec: schema });
    return [
      kind,
      {
        document,
        written: component(`${kind}Body`, z.union([document, specOnly])),
        list: component(`${kind}List`, listOf(document).describe(`All ${plural}`)),
      },
    ];
  }),
);
