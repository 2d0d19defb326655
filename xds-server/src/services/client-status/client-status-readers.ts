import { BlockList, isIPv6 } from "node:net";
import type { PeerCertificate } from "node:tls";
import { CallFault } from "../../grpc/status.ts";
import { certificateNames, isOfNode, type NodeIdentity } from "../node-identity.ts";

export interface ReaderOptions {
  readonly nodeIdentity: NodeIdentity;
  /** Names in certificates of clients that may read the status of every proxy. */
  readonly clientStatusReaders: readonly string[];
}

/** The client that sends a request: its address and its certificate. */
export interface Caller {
  readonly peer: string;
  /** Absent without TLS. */
  readonly peerCertificate: Pick<PeerCertificate, "subjectaltname"> | undefined;
}

/**
 * Which proxies' status a client may read. Throws when it may read none. The status contains the configuration of proxies,
 * so a client may read only what it could also get as a proxy:
 * - Without TLS, clients on this machine read all proxies. Others read none, because they could learn which proxies exist.
 * - With TLS and without node id checks, each client reads all proxies.
 * - With TLS and node id checks, a client reads the proxies that its certificate names. The `clientStatusReaders` read all.
 */
export function readableNodes({ peer, peerCertificate }: Caller, options: ReaderOptions): (nodeId: string) => boolean {
  const all = () => true;
  if (peerCertificate === undefined) {
    if (isLoopbackPeer(peer)) return all;
    throw new CallFault(
      "PERMISSION_DENIED",
      "Client status is served only to clients on this machine, or over mutual TLS",
    );
  }
  if (options.nodeIdentity === "none") return all;
  const names = certificateNames(peerCertificate);
  if (options.clientStatusReaders.some((reader) => names.dns.includes(reader) || names.uris.includes(reader)))
    return all;
  return (nodeId) => isOfNode(names, nodeId);
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** True for "127.0.0.1:41234", "[::1]:41234" and "[::ffff:127.0.0.1]:41234". */
function isLoopbackPeer(peer: string): boolean {
  const host = peer.slice(0, peer.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return loopback.check(host, isIPv6(host) ? "ipv6" : "ipv4");
}
