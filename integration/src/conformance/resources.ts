import { type DescMessage, fromBinary, type JsonObject, type MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import { TypedExtensionConfigSchema } from "xds-proto-ts/envoy/config/core/v3/extension";
import { ClusterLoadAssignmentSchema } from "xds-proto-ts/envoy/config/endpoint/v3/endpoint";
import { ListenerSchema } from "xds-proto-ts/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "xds-proto-ts/envoy/config/route/v3/route";
import { VirtualHostSchema } from "xds-proto-ts/envoy/config/route/v3/route_components";
import { ScopedRouteConfigurationSchema } from "xds-proto-ts/envoy/config/route/v3/scoped_route";
import { BufferSchema } from "xds-proto-ts/envoy/extensions/filters/http/buffer/v3/buffer";
import { SecretSchema } from "xds-proto-ts/envoy/extensions/transport_sockets/tls/v3/secret";
import { RuntimeSchema } from "xds-proto-ts/envoy/service/runtime/v3/rtds";

export type TypeName = "CDS" | "EDS" | "LDS" | "RDS" | "VHDS" | "SRDS" | "SDS" | "ECDS" | "RTDS";

export type Variant = "sotw" | "delta";

export interface ResourceName {
  readonly type: TypeName;
  readonly name: string;
}

/** A resource whose content is one number. */
export interface TestResource extends ResourceName {
  /** The resource in proto-JSON with its `@type`. */
  readonly json: JsonObject;
  /** How long a client keeps it without a heartbeat, in milliseconds. Absent: it does not expire. */
  readonly ttlMs?: number;
}

interface TypeRow {
  readonly schema: DescMessage;
  /** The type's own discovery service, and its methods in both variants. */
  readonly service: string;
  readonly methods: { readonly sotw?: string; readonly delta: string };
  readonly json: (name: string, revision: number) => JsonObject;
  readonly read: (bytes: Uint8Array) => { readonly name: string; readonly revision: number };
}

function row<Schema extends DescMessage>(
  schema: Schema,
  service: string,
  plural: string,
  {
    json,
    name,
    revision,
  }: {
    readonly json: TypeRow["json"];
    readonly name: (message: MessageShape<Schema>) => string;
    readonly revision: (message: MessageShape<Schema>) => unknown;
  },
): TypeRow {
  const read = (bytes: Uint8Array) => {
    const message = fromBinary(schema, bytes);
    return { name: name(message), revision: Number(revision(message)) };
  };
  return { schema, service, methods: { sotw: `Stream${plural}`, delta: `Delta${plural}` }, json, read };
}

function deltaOnly({ methods: { delta }, ...rest }: TypeRow): TypeRow {
  return { ...rest, methods: { delta } };
}

/** The domain of a virtual host with the resource name "ROUTE-CONFIGURATION/HOST". HTTP requests name this domain. */
function domainOf(name: string): string {
  return `${name.slice(name.indexOf("/") + 1)}.example`;
}

const ads: JsonObject = { ads: {}, resourceApiVersion: "V3" };
const named = ({ name }: { readonly name: string }): string => name;

/** One row for each type: how to make a resource whose content is one number, and how to read that number. */
const rows: Readonly<Record<TypeName, TypeRow>> = {
  CDS: row(ClusterSchema, "envoy.service.cluster.v3.ClusterDiscoveryService", "Clusters", {
    json: (name, revision) => ({
      name,
      type: "EDS",
      edsClusterConfig: { edsConfig: ads },
      altStatName: String(revision),
    }),
    name: named,
    revision: ({ altStatName }) => altStatName,
  }),
  EDS: row(ClusterLoadAssignmentSchema, "envoy.service.endpoint.v3.EndpointDiscoveryService", "Endpoints", {
    json: (clusterName, revision) => ({ clusterName, policy: { overprovisioningFactor: revision } }),
    name: ({ clusterName }) => clusterName,
    revision: ({ policy }) => policy?.overprovisioningFactor,
  }),
  LDS: row(ListenerSchema, "envoy.service.listener.v3.ListenerDiscoveryService", "Listeners", {
    json: (name, revision) => ({
      name,
      address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
      statPrefix: String(revision),
    }),
    name: named,
    revision: ({ statPrefix }) => statPrefix,
  }),
  RDS: row(RouteConfigurationSchema, "envoy.service.route.v3.RouteDiscoveryService", "Routes", {
    json: (name, revision) => ({ name, virtualHosts: [{ name: String(revision), domains: ["*"] }] }),
    name: named,
    revision: ({ virtualHosts }) => virtualHosts[0]?.name,
  }),
  VHDS: deltaOnly(
    row(VirtualHostSchema, "envoy.service.route.v3.VirtualHostDiscoveryService", "VirtualHosts", {
      json: (name, revision) => ({ name, domains: [domainOf(name)], perRequestBufferLimitBytes: revision }),
      name: named,
      revision: ({ perRequestBufferLimitBytes }) => perRequestBufferLimitBytes,
    }),
  ),
  SRDS: row(ScopedRouteConfigurationSchema, "envoy.service.route.v3.ScopedRoutesDiscoveryService", "ScopedRoutes", {
    json: (name, revision) => ({
      name,
      routeConfigurationName: String(revision),
      key: { fragments: [{ stringKey: name }] },
    }),
    name: named,
    revision: ({ routeConfigurationName }) => routeConfigurationName,
  }),
  SDS: row(SecretSchema, "envoy.service.secret.v3.SecretDiscoveryService", "Secrets", {
    json: (name, revision) => ({ name, genericSecret: { secret: { inlineString: String(revision) } } }),
    name: named,
    revision: ({ type }) => (type.case === "genericSecret" ? type.value.secret?.specifier.value : undefined),
  }),
  ECDS: row(
    TypedExtensionConfigSchema,
    "envoy.service.extension.v3.ExtensionConfigDiscoveryService",
    "ExtensionConfigs",
    {
      json: (name, revision) => ({
        name,
        typedConfig: { "@type": `type.googleapis.com/${BufferSchema.typeName}`, maxRequestBytes: revision },
      }),
      name: named,
      revision: ({ typedConfig }) => fromBinary(BufferSchema, typedConfig?.value ?? new Uint8Array()).maxRequestBytes,
    },
  ),
  RTDS: row(RuntimeSchema, "envoy.service.runtime.v3.RuntimeDiscoveryService", "Runtime", {
    json: (name, revision) => ({ name, layer: { revision } }),
    name: named,
    revision: ({ layer }) => layer?.["revision"],
  }),
};

const typeNames = Object.keys(rows) as TypeName[];

/** All types that a variant has. */
export function typesIn(variant: Variant): readonly TypeName[] {
  return typeNames.filter((type) => rows[type].methods[variant] !== undefined);
}

const typeNameOf: ReadonlyMap<string, TypeName> = new Map(typeNames.map((type) => [typeUrlOf(type), type]));

export function typeUrlOf(type: TypeName): string {
  return `type.googleapis.com/${rows[type].schema.typeName}`;
}

/** The type of a response, or its URL when the suite does not know the type. */
export function typeOf(typeUrl: string): string {
  return typeNameOf.get(typeUrl) ?? typeUrl;
}

/** The gRPC path of a type's own service. */
export function pathOf(type: TypeName, variant: Variant): string {
  const { service, methods } = rows[type];
  return `/${service}/${methods[variant]}`;
}

/** A resource whose whole content is a number from 1. Equal numbers make equal bytes. */
export function resource(type: TypeName, name: string, revision = 1): TestResource {
  return { type, name, json: { "@type": typeUrlOf(type), ...rows[type].json(name, revision) } };
}

/** Several resources of a type: `resources("EDS", { foo: 1, bar: 2 })`. */
export function resources(type: TypeName, revisions: Readonly<Record<string, number>>): readonly TestResource[] {
  return Object.entries(revisions).map(([name, revision]) => resource(type, name, revision));
}

/** Reads the name and the number of a resource from its bytes. */
export function readResource({ typeUrl, value }: Any): { readonly name: string; readonly revision: number } {
  const type = typeNameOf.get(typeUrl);
  if (type === undefined) throw new Error(`The response has a resource of an unknown type: ${typeUrl}`);
  return rows[type].read(value);
}
