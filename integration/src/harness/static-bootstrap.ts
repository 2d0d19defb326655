import type { Bootstrap } from "@chancery/xds-server/envoy";

/** Fields of one of Envoy's messages, as proto-JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export interface StaticListener {
  readonly name: string;
  readonly filters: readonly Fields[];
  /** Absent: plaintext. */
  readonly transportSocket?: Fields;
  /** The buffer limit of its connections, in bytes. Absent: Envoy's default. */
  readonly bufferLimit?: number;
}

export interface StaticResources {
  readonly listeners: readonly StaticListener[];
  readonly clusters?: readonly Fields[];
  /** Further fields of the bootstrap. */
  readonly fields?: Fields;
}

/** A bootstrap with static resources only. Its listeners and its admin interface are on free ports of loopback. */
export function bootstrapOf({ listeners, clusters = [], fields = {} }: StaticResources): Bootstrap {
  return {
    admin: { address: address(0) },
    ...fields,
    static_resources: {
      listeners: listeners.map(({ name, filters, transportSocket, bufferLimit }) => ({
        name,
        address: address(0),
        ...limit(bufferLimit),
        filter_chains: [{ filters, ...(transportSocket && { transport_socket: transportSocket }) }],
      })),
      clusters,
    },
  };
}

/** A cluster with one endpoint on loopback. */
export function clusterOf(
  name: string,
  port: number,
  { bufferLimit, ...fields }: Fields & { readonly bufferLimit?: number | undefined } = {},
): Fields {
  return {
    name,
    connect_timeout: "5s",
    ...limit(bufferLimit),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
    ...fields,
  };
}

export interface HttpOptions {
  readonly filters: readonly Fields[];
  readonly routes: readonly Fields[];
  /** Absent: "all". */
  readonly virtualHost?: string;
  /** Fields of the router. */
  readonly router?: Fields;
  /** Further fields of the HTTP connection manager. */
  readonly fields?: Fields;
}

/** The HTTP connection manager: the given HTTP filters, then the router, and routes for all hosts. */
export function httpConnectionManager({
  filters,
  routes,
  virtualHost = "all",
  router = {},
  fields = {},
}: HttpOptions): Fields {
  const config = {
    stat_prefix: "edge",
    ...fields,
    http_filters: [...filters, extension("router", "filters.http.router.v3.Router", router)],
    route_config: { virtual_hosts: [{ name: virtualHost, domains: ["*"], routes }] },
  };
  return extension("manager", "filters.network.http_connection_manager.v3.HttpConnectionManager", config);
}

export interface Plugin {
  readonly name: string;
  readonly wasmPath: string;
  /** Absent: the name. */
  readonly rootId?: string;
  readonly configuration?: string;
  /** Further fields of the VM. */
  readonly vm?: Fields;
  /** An HTTP filter that holds the headers back still receives the body. Absent: it receives the body after it lets the headers go on. */
  readonly holdsHeaders?: boolean;
}

/** A Wasm filter. Filters with the same name share a VM. */
export function wasmFilter(
  kind: "http" | "network",
  { name, wasmPath, rootId = name, configuration, vm = {}, holdsHeaders = false }: Plugin,
): Fields {
  const config = {
    name,
    root_id: rootId,
    ...(configuration !== undefined && { configuration: stringValue(configuration) }),
    vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: wasmPath } }, ...vm },
    ...(holdsHeaders && { allow_on_headers_stop_iteration: true }),
  };
  return extension(name, `filters.${kind}.wasm.v3.Wasm`, { config });
}

/** An extension. Its type is written without the package envoy.extensions. */
export function extension(name: string, type: string, fields: Fields = {}): Fields {
  return { name, typed_config: { "@type": `type.googleapis.com/envoy.extensions.${type}`, ...fields } };
}

/** The fields of a cluster that set the HTTP protocol of its endpoints. */
export function upstreamProtocol(explicit_http_config: Fields): Fields {
  const { name, typed_config } = extension(
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    "upstreams.http.v3.HttpProtocolOptions",
    { explicit_http_config },
  );
  return { typed_extension_protocol_options: { [String(name)]: typed_config } };
}

export function stringValue(value: string): Fields {
  return { "@type": "type.googleapis.com/google.protobuf.StringValue", value };
}

function address(port: number): Fields {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function limit(bytes: number | undefined): Fields {
  return bytes === undefined ? {} : { per_connection_buffer_limit_bytes: bytes };
}
