import { get_property_string, stream_context } from "@chancery/filter-sdk";
import { Query } from "./query";

/** The names in a client's certificate, in the order of `identityNames`. */
export enum Identity {
  Uri,
  Dns,
  Subject,
}

/**
 * Of several names, Envoy has the first.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes
 */
const identityProperties: string[] = [
  "connection.uri_san_peer_certificate",
  "connection.dns_san_peer_certificate",
  "connection.subject_peer_certificate",
];

/** The values of the running callback's request that rules use. Each is fetched at its first use. */
@final
export class PolicyRequest {
  private target: string | null = null;
  private pathOnly: string | null = null;
  private parameters: Query | null = null;
  private identities: (string | null)[] = [];

  /** The path without the query. */
  get path(): string {
    const known = this.pathOnly;
    if (known !== null) return known;
    const target = this.pathAndQuery();
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.substring(0, query);
    this.pathOnly = path;
    return path;
  }

  get query(): Query {
    const known = this.parameters;
    if (known !== null) return known;
    const query = Query.of(this.pathAndQuery());
    this.parameters = query;
    return query;
  }

  /** Empty when the client has no certificate, or its certificate does not have this name. */
  identity(kind: Identity): string {
    if (this.identities.length === 0) this.identities = new Array<string | null>(identityProperties.length).fill(null);
    const known = this.identities[kind];
    if (known !== null) return known;
    const name = get_property_string(identityProperties[kind]);
    this.identities[kind] = name;
    return name;
  }

  private pathAndQuery(): string {
    const known = this.target;
    if (known !== null) return known;
    const target = stream_context.headers.request.get(":path");
    this.target = target;
    return target;
  }
}
