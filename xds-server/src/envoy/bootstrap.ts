import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { parse } from "yaml";

/** The protocol variant between Envoy and the server: only changes, or the state of the world. */
export type XdsVariant = "delta" | "sotw";

export interface BootstrapOptions {
  readonly variant: XdsVariant;
  /** The address of the management server. */
  readonly xds: { readonly host: string; readonly port: number };
  /** The proxy's node id and node cluster. Node groups match on both. */
  readonly nodeId: string;
  readonly cluster: string;
  /** The address that Envoy's admin listens on. Absent: a free port on loopback. */
  readonly admin?: { readonly host: string; readonly port: number };
  /** Mutual TLS with the management server. Absent: plain text. */
  readonly xdsTls?: ProxyTls;
  /** Whether Envoy reports the load of its upstreams to the management server. Absent: no. */
  readonly loadReports?: boolean;
}

/** A proxy's own certificate, and the authority that it trusts. PEM files on the proxy's machine. */
export interface ProxyTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** The authority that must have signed the server's certificate. */
  readonly caFile: string;
  /** A DNS name or an IP address that the server's certificate must contain. Absent: `xds.host`. */
  readonly serverName?: string;
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
      Partial<TlsFile> & {
        load_assignment: {
          endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: SocketAddress } } }] }];
        };
      },
    ];
  };
}

/** envoy-configs/bootstrap/xds-tls.yaml */
interface TlsFile {
  transport_socket: {
    typed_config: {
      sni?: string;
      common_tls_context: {
        tls_certificates: [{ certificate_chain: Filename; private_key: Filename }];
        validation_context: {
          trusted_ca: Filename;
          match_typed_subject_alt_names: [{ san_type: "DNS" | "IP_ADDRESS"; matcher: { exact: string } }];
        };
      };
    };
  };
}

interface Filename {
  filename: string;
}

/** The bootstrap of envoy-configs/bootstrap for this variant, with the options filled in. */
export function bootstrap({
  variant,
  xds,
  nodeId,
  cluster,
  admin,
  xdsTls,
  loadReports = false,
}: BootstrapOptions): Bootstrap {
  const filled = read(`${variant}-ads.yaml`) as BootstrapFile;
  filled.node = { id: nodeId, cluster };
  filled.admin.address.socket_address = { address: admin?.host ?? "127.0.0.1", port_value: admin?.port ?? 0 };
  const [xdsCluster] = filled.static_resources.clusters;
  const [endpoint] = xdsCluster.load_assignment.endpoints[0].lb_endpoints;
  endpoint.endpoint.address.socket_address = { address: xds.host, port_value: xds.port };
  if (xdsTls !== undefined) xdsCluster.transport_socket = transportSocket(xdsTls, xds.host);
  return loadReports ? { ...filled, ...(read("load-reports.yaml") as Bootstrap) } : filled;
}

function transportSocket(
  { certFile, keyFile, caFile, serverName }: ProxyTls,
  host: string,
): TlsFile["transport_socket"] {
  const { transport_socket: socket } = read("xds-tls.yaml") as TlsFile;
  const { typed_config: tls } = socket;
  const { tls_certificates: certificates, validation_context: trusted } = tls.common_tls_context;
  const name = serverName ?? host;
  const isAddress = isIP(name) !== 0;
  tls.sni = name;
  // An address must not be sent as a server name (RFC 6066, section 3).
  if (isAddress) delete tls.sni;
  certificates[0] = { certificate_chain: { filename: certFile }, private_key: { filename: keyFile } };
  trusted.trusted_ca = { filename: caFile };
  trusted.match_typed_subject_alt_names[0] = { san_type: isAddress ? "IP_ADDRESS" : "DNS", matcher: { exact: name } };
  return socket;
}

function read(file: string): unknown {
  return parse(readFileSync(new URL(`../../../envoy-configs/bootstrap/${file}`, import.meta.url), "utf8"));
}
