interface Filtered {
  readonly name: string;
  readonly wasmPath: string;
  readonly config?: unknown;
}

const type = (name: string): string => `type.googleapis.com/${name}`;
const anyPort = { socket_address: { address: "127.0.0.1", port_value: 0 } };

/** An Envoy that answers all by itself, on a listener "with" a filter and on one "without". */
export function bootstrapOf(filter: Filtered): Record<string, unknown> {
  return {
    admin: { address: anyPort },
    static_resources: { listeners: [listener("without", []), listener("with", [wasmFilter(filter)])] },
  };
}

function listener(name: string, filters: readonly object[]): object {
  const router = { name: "router", typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") } };
  const answer = { status: 200, body: { inline_string: "served\n" } };
  const routes = [{ match: { prefix: "/" }, direct_response: answer }];
  const manager = {
    "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: name,
    normalize_path: true,
    http_filters: [...filters, router],
    route_config: { name: "bench", virtual_hosts: [{ name: "bench", domains: ["*"], routes }] },
  };
  return { name, address: anyPort, filter_chains: [{ filters: [{ name: "manager", typed_config: manager }] }] };
}

function wasmFilter({ name, wasmPath, config }: Filtered): object {
  const configuration = { "@type": type("google.protobuf.StringValue"), value: JSON.stringify(config) };
  const typedConfig = {
    "@type": type("envoy.extensions.filters.http.wasm.v3.Wasm"),
    config: {
      name,
      root_id: name,
      ...(config === undefined ? {} : { configuration }),
      vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: wasmPath } } },
    },
  };
  return { name, typed_config: typedConfig };
}
