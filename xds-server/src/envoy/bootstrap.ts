import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** How Envoy and the server talk: only changes, or the state of the world. */
export type XdsVariant = "delta" | "sotw";

export interface BootstrapOptions {
  readonly variant: XdsVariant;
  /** Where the management server listens. */
  readonly xds: { readonly host: string; readonly port: number };
  /** Who the proxy is, and of which kind; node groups match on both. */
  readonly nodeId: string;
  readonly cluster: string;
  /** Where Envoy's admin listens. Absent: a free port on loopback. */
  readonly admin?: { readonly host: string; readonly port: number };
}

/** An Envoy v3 bootstrap as proto-JSON. */
export type Bootstrap = Record<string, unknown>;

interface SocketAddress {
  address: string;
  port_value: number;
}

/** The parts of the bootstrap files that are filled in. */
interface BootstrapFile extends Bootstrap {
  node?: { id: string; cluster: string };
  admin: { address: { socket_address: SocketAddress } };
  static_resources: {
    clusters: [
      {
        load_assignment: {
          endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: SocketAddress } } }] }];
        };
      },
    ];
  };
}

/** The bootstrap of envoy-configs/bootstrap for this variant, with its places filled in. */
export function bootstrap({ variant, xds, nodeId, cluster, admin }: BootstrapOptions): Bootstrap {
  const file = new URL(`../../../envoy-configs/bootstrap/${variant}-ads.yaml`, import.meta.url);
  const filled = parse(readFileSync(file, "utf8")) as BootstrapFile;
  filled.node = { id: nodeId, cluster };
  filled.admin.address.socket_address = { address: admin?.host ?? "127.0.0.1", port_value: admin?.port ?? 0 };
  const [xdsCluster] = filled.static_resources.clusters;
  const [endpoint] = xdsCluster.load_assignment.endpoints[0].lb_endpoints;
  endpoint.endpoint.address.socket_address = { address: xds.host, port_value: xds.port };
  return filled;
}
