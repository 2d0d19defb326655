import type { PeerCertificate } from "node:tls";
import { CallFault } from "../grpc/status.ts";

/** Which node ids a client may use: those that its certificate names, or any. */
export type NodeIdentity = "certificate" | "none";

export const nodeIdentities: readonly NodeIdentity[] = ["certificate", "none"];

/** The DNS names and URIs among a certificate's subject alternative names. */
export interface CertificateNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
}

/** The common name is left out: RFC 9525, section 2, does not allow it as an identity. */
export function certificateNames({ subjectaltname = "" }: Pick<PeerCertificate, "subjectaltname">): CertificateNames {
  // "DNS:edge-1, URI:spiffe://mesh/edge-1"; Node writes what holds a comma or a quote as a JSON string.
  const entries = [...subjectaltname.matchAll(/(?:^|, )([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, kind = "", value = ""]) => ({ kind, value: value.startsWith('"') ? String(JSON.parse(value)) : value }),
  );
  const ofKind = (wanted: string) => entries.flatMap(({ kind, value }) => (kind === wanted ? [value] : []));
  return { dns: ofKind("DNS"), uris: ofKind("URI") };
}

/** True when a certificate names the node: its id equals a DNS name, a URI, or the last segment of a SPIFFE id's path. */
export function isOfNode({ dns, uris }: CertificateNames, nodeId: string): boolean {
  return dns.includes(nodeId) || uris.some((uri) => uri === nodeId || lastOfSpiffePath(uri) === nodeId);
}

/** "edge-1" of "spiffe://mesh.example/proxies/edge-1". */
function lastOfSpiffePath(uri: string): string | undefined {
  return /^spiffe:\/\/[^/]+\/(?:[^/]+\/)*([^/]+)$/.exec(uri)?.[1];
}

/** Throws a `CallFault` when a client claims a node id that its certificate does not name. */
export function checkIdentity(nodeId: string, certificate: PeerCertificate | undefined): void {
  if (certificate === undefined) return;
  const names = certificateNames(certificate);
  if (isOfNode(names, nodeId)) return;
  const { dns, uris } = names;
  const borne = [...dns.map((name) => `DNS "${name}"`), ...uris.map((uri) => `URI "${uri}"`)].join(", ");
  throw new CallFault(
    "PERMISSION_DENIED",
    `Node id "${shortened(nodeId)}" is not in the client's certificate, which names ${shortened(borne) || "nobody"}; ` +
      "give the proxy the id that its certificate bears, or a certificate that bears its id as a DNS name, a URI or the end of a SPIFFE id",
  );
}

/** How much of a name an error repeats, in UTF-16 code units. */
const maxShownLength = 200;

function shortened(text: string): string {
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}...` : text;
}
