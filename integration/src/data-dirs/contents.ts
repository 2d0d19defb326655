import type { Document, Revision, Store } from "@chancery/xds-server";
import { serve } from "../harness/server-process.ts";
import { type ProxyNode, type Received, received } from "./received.ts";

/** Everything that can be read from a store. */
export interface StoreContents {
  readonly revision: number;
  readonly documents: readonly KeptDocument[];
  /** Sorted, the oldest first. */
  readonly revisions: readonly Revision[];
  readonly notes: Readonly<Record<string, string>>;
}

interface KeptDocument extends Document {
  /** The revision of its last change. */
  readonly since: number;
}

/** The keys of the notes that a server writes. */
const noteKeys = ["config-files"];

/** A limit above the number of revisions in any of these data directories. */
const all = 1_000;

export async function contentsOf(store: Store): Promise<StoreContents> {
  const { revision, mesh } = store.get();
  const documents = [...mesh.documents()].map((document) => ({
    ...document,
    since: store.revisionOf(document.kind, document.name) ?? Number.NaN,
  }));
  const notes = await Promise.all(noteKeys.map(async (key) => [key, await store.note(key)] as const));
  return {
    revision,
    documents: documents.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)),
    revisions: (await store.revisions({ limit: all })).toReversed(),
    notes: Object.fromEntries(notes.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))),
  };
}

function keyOf({ kind, name }: Document): string {
  return `${kind} ${name}`;
}

/** A proxy for each node group, by the name of the group. */
const proxies: Readonly<Record<string, ProxyNode>> = {
  default: { id: "edge-1", cluster: "edge" },
  eu: { id: "edge-2", cluster: "edge", locality: { region: "eu-west", zone: "eu-1", subZone: "rack-9" } },
  us: { id: "us-1", cluster: "edge", metadata: { stage: "prod", rack: 7 } },
};

/** The subscriptions, by type: all resources, but of virtual hosts, which have no wildcard, one that exists and one that does not. */
const names: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    [
      "envoy.extensions.transport_sockets.tls.v3.Secret",
      "envoy.config.cluster.v3.Cluster",
      "envoy.config.endpoint.v3.ClusterLoadAssignment",
      "envoy.config.core.v3.TypedExtensionConfig",
      "envoy.config.listener.v3.Listener",
      "envoy.config.route.v3.ScopedRouteConfiguration",
      "envoy.config.route.v3.RouteConfiguration",
      "envoy.service.runtime.v3.Runtime",
    ].map((type) => [`type.googleapis.com/${type}`, []]),
  ),
  "type.googleapis.com/envoy.config.route.v3.VirtualHost": ["on-demand/shop.example", "on-demand/ghost.example"],
};

/** The resources that `chancery serve` sends from a data directory to a proxy of each node group. */
export async function servedFrom(dataDir: string): Promise<Readonly<Record<string, Received>>> {
  const server = await serve({ dataDir });
  try {
    return await servedBy(server.xds);
  } finally {
    await server.stop();
  }
}

export async function servedBy(xds: string): Promise<Readonly<Record<string, Received>>> {
  const groups = Object.entries(proxies).map(
    async ([group, node]) => [group, await received(xds, { node, names })] as const,
  );
  return Object.fromEntries(await Promise.all(groups));
}
