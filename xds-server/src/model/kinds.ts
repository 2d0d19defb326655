import type { z } from "zod";
import { clusterSchema } from "./cluster.ts";
import type { Kind } from "./document.ts";
import { endpointsSchema } from "./endpoints.ts";
import { envoyResourceSchema } from "./envoy-resource.ts";
import { filterSchema } from "./filter.ts";
import { listenerSchema } from "./listener.ts";
import { nodeGroupSchema } from "./node-group.ts";
import { routeSchema } from "./route.ts";

/** One kind of document. A new kind needs a row here and a line in document.ts. */
export interface KindRow {
  readonly kind: Kind;
  /** The path of its documents in the admin API: "node-groups". */
  readonly plural: string;
  /** Checks a spec. The JSON schema (`z.toJSONSchema`) and the OpenAPI document are generated from it as well. */
  readonly schema: z.ZodObject;
}

/** All kinds, in the order of listings. */
export const kinds: readonly KindRow[] = [
  { kind: "Cluster", plural: "clusters", schema: clusterSchema },
  { kind: "Endpoints", plural: "endpoints", schema: endpointsSchema },
  { kind: "Route", plural: "routes", schema: routeSchema },
  { kind: "Listener", plural: "listeners", schema: listenerSchema },
  { kind: "NodeGroup", plural: "node-groups", schema: nodeGroupSchema },
  { kind: "Filter", plural: "filters", schema: filterSchema },
  { kind: "EnvoyResource", plural: "envoy-resources", schema: envoyResourceSchema },
];

const byKind: ReadonlyMap<string, KindRow> = new Map(kinds.map((row) => [row.kind, row]));
const byPlural: ReadonlyMap<string, KindRow> = new Map(kinds.map((row) => [row.plural, row]));

/** The row of a kind, or undefined when there is no such kind. */
export const kindRow = (kind: string): KindRow | undefined => byKind.get(kind);

/** The row of a plural such as "node-groups", or undefined when there is no such kind. */
export const kindOfPlural = (plural: string): KindRow | undefined => byPlural.get(plural);
