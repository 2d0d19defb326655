/** One filter. It gets a listener, and another equal listener without the filter. */
export interface FilteredListener {
  readonly name: string;
  /** The path of the module. */
  readonly wasmPath: string;
  /** The filter's configuration: any JSON. Absent: no configuration. */
  readonly config?: unknown;
  /** Whether the filter stops at the headers and then gets the body, as its manifest says. Absent: no. */
  readonly holdsHeaders?: boolean;
  /** The request's body. Envoy answers when the whole body has arrived. */
  readonly body?: string;
  /** The response to requests. Absent: 200 with a short text. */
  readonly answer?: BenchAnswer;
  /** The responses of the clusters that the filter calls, by cluster name. */
  readonly clusters?: Readonly<Record<string, BenchAnswer>>;
}

export interface BenchAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const sides = ["without", "with"] as const;
export type Side = (typeof sides)[number];

export function listenerName(filter: string, side: Side): string {
  return `${filter} ${side}`;
}

const type = (name: string): string => `type.googleapis.com/${name}`;
const anyPort = { socket_address: { address: "127.0.0.1", port_value: 0 } };

/** The bootstrap of an Envoy that responds without upstreams, with a listener "with" and one "without" each filter. */
export function bootstrapOf(filters: readonly FilteredListener[]): Record<string, unknown> {
  const called = filters.flatMap(({ clusters = {} }) => Object.entries(clusters));
  return {
    admin: { address: anyPort },
    static_resources: {
      listeners: [
        ...filters.flatMap((filter) =>
          sides.map((side) => {
            const own = side === "with" ? [wasmFilter(filter)] : [];
            const buffer = filter.body === undefined ? [] : [bodyBuffer(filter.body)];
            return listener(listenerName(filter.name, side), anyPort, [...own, ...buffer], filter.answer);
          }),
        ),
        ...called.map(([name, answer]) => listener(`cluster ${name}`, pipe(name), [], answer)),
      ],
      clusters: called.map(([name]) => ({
        name,
        connect_timeout: "5s",
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: { address: pipe(name) } }] }],
        },
      })),
    },
  };
}

/** An abstract socket, which has no file. Only Linux has these. */
function pipe(cluster: string): object {
  return { pipe: { path: `@chancery-bench-${process.pid}-${cluster}` } };
}

function listener(name: string, address: object, filters: readonly object[], answer: BenchAnswer = {}): object {
  const router = { name: "router", typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") } };
  const { status = 200, headers = {}, body = "served\n" } = answer;
  const routes = [
    {
      match: { prefix: "/" },
      direct_response: { status, body: { inline_string: body } },
      response_headers_to_add: Object.entries(headers).map(([key, value]) => ({
        header: { key, value },
        append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
      })),
    },
  ];
  const manager = {
    "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: name,
    normalize_path: true,
    http_filters: [...filters, router],
    route_config: { name: "bench", virtual_hosts: [{ name: "bench", domains: ["*"], routes }] },
  };
  return { name, address, filter_chains: [{ filters: [{ name: "manager", typed_config: manager }] }] };
}

/** Buffers the request, because Envoy closes a connection when it responds before the whole request has arrived. */
function bodyBuffer(body: string): object {
  const buffer = {
    "@type": type("envoy.extensions.filters.http.buffer.v3.Buffer"),
    max_request_bytes: Buffer.byteLength(body) + 1,
  };
  return { name: "buffer", typed_config: buffer };
}

function wasmFilter({ name, wasmPath, config, holdsHeaders }: FilteredListener): object {
  const configuration = { "@type": type("google.protobuf.StringValue"), value: JSON.stringify(config) };
  const typedConfig = {
    "@type": type("envoy.extensions.filters.http.wasm.v3.Wasm"),
    config: {
      name,
      root_id: name,
      ...(holdsHeaders ? { allow_on_headers_stop_iteration: true } : {}),
      ...(config === undefined ? {} : { configuration }),
      vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: wasmPath } } },
    },
  };
  return { name, typed_config: typedConfig };
}
