/** What a proxy says of itself when it opens a stream (`envoy.config.core.v3.Node`). */
export interface Node {
  readonly id: string;
  /** Empty when the proxy gave none. */
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: Locality;
  /** The proxy's own version, such as "1.40.0"; absent when it gave none. */
  readonly version?: string;
  /** What the proxy is: "envoy". Absent when it gave none. */
  readonly agent?: string;
  /** What the proxy says that it can do, such as "xds.config.supports-resource-ttl". Absent where it says nothing. */
  readonly features?: readonly string[];
}

/** Where a proxy or an endpoint runs (`envoy.config.core.v3.Locality`). Empty where nothing is said. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** The locality of what does not say where it runs. */
export const nowhere: Locality = { region: "", zone: "", subZone: "" };
