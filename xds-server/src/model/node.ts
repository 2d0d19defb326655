/** The description of a proxy that it sends when it opens a stream (`envoy.config.core.v3.Node`). */
export interface Node {
  readonly id: string;
  /** Empty when the proxy sent none. */
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: Locality;
  /** The version of the proxy's program, such as "1.40.0". Absent when it sent none. */
  readonly version?: string;
  /** The name of the proxy's program: "envoy". Absent when it sent none. */
  readonly agent?: string;
  /** The proxy's client features, such as "xds.config.supports-resource-ttl". Absent when it sent none. */
  readonly features?: readonly string[];
}

/** Where a proxy or an endpoint runs (`envoy.config.core.v3.Locality`). A field is empty when it was not given. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** The locality of a proxy or an endpoint that has none. */
export const nowhere: Locality = { region: "", zone: "", subZone: "" };
