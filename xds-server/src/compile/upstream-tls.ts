import { create } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import { type TransportSocket, TransportSocketSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType as SanType,
  SubjectAltNameMatcherSchema,
} from "xds-proto-ts/envoy/extensions/transport_sockets/tls/v3/common";
import { UpstreamTlsContextSchema } from "xds-proto-ts/envoy/extensions/transport_sockets/tls/v3/tls";
import { type ClusterTls, clusterDefaults } from "../model/cluster.ts";
import { isIpAddress } from "../model/fields.ts";
import { file } from "./values.ts";

/** TLS to a cluster's endpoints. `host` is the DNS name of the endpoints. Undefined: they have none. */
export function upstreamTls(
  tls: ClusterTls,
  { host, alpn }: { readonly host: string | undefined; readonly alpn: string },
): TransportSocket {
  const sni = tls.serverName ?? (host !== undefined && !isIpAddress(host) ? host : undefined);
  const { certFile, keyFile } = tls;
  const certificate =
    certFile === undefined || keyFile === undefined
      ? []
      : [{ certificateChain: file(certFile), privateKey: file(keyFile) }];
  const context = create(UpstreamTlsContextSchema, {
    ...(sni === undefined ? {} : { sni }),
    commonTlsContext: {
      alpnProtocols: [alpn],
      tlsCertificates: certificate,
      // Without a validation context Envoy accepts any certificate.
      ...(tls.insecureSkipVerify === true
        ? {}
        : { validationContextType: { case: "validationContext", value: validation(tls, sni) } }),
    },
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: packAny(UpstreamTlsContextSchema, context) },
  });
}

/**
 * Checks the authority and the name of a certificate. The model ensures that a name is known: otherwise every certificate of
 * the authority would be accepted.
 */
function validation(
  { caFile = clusterDefaults.caFile, subjectAltNames }: ClusterTls,
  sni: string | undefined,
): CertificateValidationContext {
  const names = subjectAltNames ?? (sni === undefined ? [] : [sni]);
  return create(CertificateValidationContextSchema, {
    trustedCa: file(caFile),
    matchTypedSubjectAltNames: names.map((name) =>
      create(SubjectAltNameMatcherSchema, {
        sanType: sanTypeOf(name),
        matcher: { matchPattern: { case: "exact", value: name } },
      }),
    ),
  });
}

function sanTypeOf(name: string): SanType {
  if (name.includes("://")) return SanType.URI;
  return isIpAddress(name) ? SanType.IP_ADDRESS : SanType.DNS;
}
