import { isMessage, type Message } from "@bufbuild/protobuf";
import { type Cluster, Cluster_DiscoveryType, ClusterSchema } from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import { VirtualHostSchema } from "xds-proto-ts/envoy/config/route/v3/route_components";
import { awaitedSecrets } from "./awaited-secrets.ts";

/** A protobuf type URL, as it stands in `Any.type_url` and in discovery requests. */
export type TypeUrl = `type.googleapis.com/${string}`;

/** Names one resource of any type. */
export interface ResourceKey {
  readonly typeUrl: TypeUrl;
  readonly name: string;
}

/** One xDS resource type. Adding a type to Chancery is adding a row here. */
export interface ResourceType {
  readonly typeUrl: TypeUrl;
  /** The usual short name: "CDS". */
  readonly shortName: string;
  /** The message's full name: "envoy.config.cluster.v3.Cluster". */
  readonly message: string;
  /** The message's field that carries the resource's name, in proto spelling. */
  readonly nameField: string;
  /** The full name of the type's own gRPC discovery service; absent where Envoy defines none. */
  readonly service?: string;
  /**
   * True when a state-of-the-world response must list all resources that the client subscribed to. The client deletes a
   * resource that is left out (xDS protocol, "Deleting resources"). False when a response may list only the changed ones.
   */
  readonly fullState: boolean;
  /** Short names of the types whose resources refer to this one. A removal waits until their changes are answered. */
  readonly usedBy: readonly string[];
  /**
   * True when a client answers only after the resources are ready for use, so that resources that refer to them can wait
   * for the answer. Envoy does not answer CDS while a cluster warms.
   */
  readonly answeredWhenReady: boolean;
  /**
   * False when a deletion is not sent to a client that holds the resource. The client drops the resource when nothing uses
   * it any more. A removal before that would break listeners that still drain: a filter chain without its filter answers 500.
   */
  readonly sendsRemovals: boolean;
  /**
   * True when clients subscribe to single resources on demand, by aliases. Then a request without names does not mean all
   * resources, and a resource without a body reports that a name does not exist.
   */
  readonly hasAliases: boolean;
  /** Other names by which clients may subscribe to a resource. */
  readonly aliases: (message: Message) => readonly string[];
  /** True when Envoy's API has no state-of-the-world variant of the type. */
  readonly deltaOnly: boolean;
  /** The resources that a client waits for each time it gets a new version of a resource of this type. */
  readonly rewarms: (message: Message) => readonly ResourceKey[];
}

interface Row {
  readonly shortName: string;
  readonly message: string;
  readonly nameField?: string;
  readonly service?: string;
  readonly fullState?: boolean;
  readonly usedBy?: readonly string[];
  readonly answeredWhenReady?: boolean;
  readonly sendsRemovals?: boolean;
  readonly aliases?: (message: Message) => readonly string[];
  readonly deltaOnly?: boolean;
  readonly rewarms?: (message: Message) => readonly ResourceKey[];
}

const row = ({ shortName, message, service, aliases, ...rest }: Row): ResourceType => ({
  nameField: "name",
  fullState: false,
  usedBy: [],
  answeredWhenReady: false,
  sendsRemovals: true,
  hasAliases: aliases !== undefined,
  aliases: aliases ?? (() => []),
  deltaOnly: false,
  rewarms: () => [],
  ...rest,
  shortName,
  message,
  typeUrl: `type.googleapis.com/${message}`,
  ...(service === undefined ? {} : { service }),
});

/**
 * All resource types in push order: a type comes before the types that refer to it, so that the client has each resource
 * before a reference to it (xDS protocol, "Eventual consistency considerations"). Removals are sent in the reverse order.
 */
export const resourceTypes: readonly ResourceType[] = [
  row({
    shortName: "SDS",
    message: "envoy.extensions.transport_sockets.tls.v3.Secret",
    service: "envoy.service.secret.v3.SecretDiscoveryService",
    usedBy: ["CDS", "LDS"],
  }),
  row({
    shortName: "CDS",
    message: "envoy.config.cluster.v3.Cluster",
    service: "envoy.service.cluster.v3.ClusterDiscoveryService",
    fullState: true,
    usedBy: ["LDS", "SRDS", "RDS"],
    answeredWhenReady: true,
    rewarms: warmsFor,
  }),
  row({
    shortName: "EDS",
    message: "envoy.config.endpoint.v3.ClusterLoadAssignment",
    nameField: "cluster_name",
    service: "envoy.service.endpoint.v3.EndpointDiscoveryService",
    usedBy: ["CDS"],
  }),
  row({
    shortName: "ECDS",
    message: "envoy.config.core.v3.TypedExtensionConfig",
    service: "envoy.service.extension.v3.ExtensionConfigDiscoveryService",
    usedBy: ["LDS"],
    sendsRemovals: false,
  }),
  row({
    shortName: "LDS",
    message: "envoy.config.listener.v3.Listener",
    service: "envoy.service.listener.v3.ListenerDiscoveryService",
    fullState: true,
  }),
  row({
    shortName: "SRDS",
    message: "envoy.config.route.v3.ScopedRouteConfiguration",
    service: "envoy.service.route.v3.ScopedRoutesDiscoveryService",
    fullState: true,
  }),
  row({
    shortName: "RDS",
    message: "envoy.config.route.v3.RouteConfiguration",
    service: "envoy.service.route.v3.RouteDiscoveryService",
    usedBy: ["LDS", "SRDS"],
  }),
  row({
    shortName: "VHDS",
    message: "envoy.config.route.v3.VirtualHost",
    service: "envoy.service.route.v3.VirtualHostDiscoveryService",
    usedBy: ["RDS"],
    deltaOnly: true,
    aliases: hostsOf,
  }),
  row({
    shortName: "RTDS",
    message: "envoy.service.runtime.v3.Runtime",
    service: "envoy.service.runtime.v3.RuntimeDiscoveryService",
  }),
];

const byUrl: ReadonlyMap<string, ResourceType> = new Map(resourceTypes.map((type) => [type.typeUrl, type]));
const byShortName: ReadonlyMap<string, ResourceType> = new Map(resourceTypes.map((type) => [type.shortName, type]));

/** The row of a type URL, or undefined when Chancery does not serve that type. */
export function resourceTypeOf(typeUrl: string): ResourceType | undefined {
  return byUrl.get(typeUrl);
}

/** The row of a short name such as "CDS". Throws when there is none, because short names are constants in the code. */
export function resourceType(shortName: string): ResourceType {
  const type = byShortName.get(shortName);
  if (type === undefined) throw new Error(`No resource type is called "${shortName}"`);
  return type;
}

/**
 * The resources that Envoy waits for while it warms a cluster. It always waits for the endpoints to be sent again, even if
 * they are unchanged. It waits for the secrets that it does not have yet.
 */
function warmsFor(message: Message): readonly ResourceKey[] {
  if (!isMessage(message, ClusterSchema)) return [];
  const { typeUrl } = resourceType("SDS");
  return [...endpointsOf(message), ...awaitedSecrets(message).map((name) => ({ typeUrl, name }))];
}

function endpointsOf({ clusterDiscoveryType: discovery, name, edsClusterConfig }: Cluster): readonly ResourceKey[] {
  if (discovery.case !== "type" || discovery.value !== Cluster_DiscoveryType.EDS) return [];
  return [{ typeUrl: resourceType("EDS").typeUrl, name: edsClusterConfig?.serviceName || name }];
}

/**
 * Envoy subscribes to a virtual host as "ROUTE-CONFIGURATION/HOST", where HOST is the host of a request. The resource's
 * own name is "ROUTE-CONFIGURATION/NAME".
 */
function hostsOf(message: Message): readonly string[] {
  if (!isMessage(message, VirtualHostSchema)) return [];
  const { name, domains } = message;
  const routeConfiguration = name.slice(0, name.lastIndexOf("/") + 1);
  return domains.map((domain) => `${routeConfiguration}${domain}`).filter((alias) => alias !== name);
}
