import type { Document, Revision, Store } from "@chancery/xds-server";
import { serve } from "../harness/server-process.ts";
import { type AskingNode, type Received, received } from "./received.ts";

/** All that can be read out of a store. */
export interface StoreContents {
  readonly revision: number;
  readonly documents: readonly KeptDocument[];
  /** Oldest first. */
  readonly revisions: readonly Revision[];
  readonly notes: Readonly<Record<string, string>>;
}

interface KeptDocument extends Document {
  /** When it last changed. */
  readonly since: number;
}

/** The keys of the notes that a server makes. */
const noteKeys = ["config-files"];

/** More than any data directory here holds. */
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

/** One proxy of each node group, by the name of the group. */
const proxies: Readonly<Record<string, AskingNode>> = {
  default: { id: "edge-1", cluster: "edge" },
  eu: { id: "edge-2", cluster: "edge", locality: { region: "eu-west", zone: "eu-1", subZone: "rack-9" } },
  us: { id: "us-1", cluster: "edge", metadata: { stage: "prod", rack: 7 } },
};

/** Everything of each type, and of virtual hosts, which are never all asked for, those that there are, and one that there is not. */
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

/** What `chancery serve` on a data directory sends to a proxy of each node group. */
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
