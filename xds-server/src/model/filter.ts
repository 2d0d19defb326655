import { z } from "zod";
import { distinct, documentName, type Immutable, optional, required } from "./fields.ts";

/** What holds where a Filter, and for `failure` its module too, is silent. */
export const filterDefaults = { failure: "reload", order: 0 } as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in 64 lower-case hexadecimal digits");

const canarySchema = z
  .strictObject({
    sha256: required(sha256, "Which uploaded module those requests get instead."),
    config: optional(z.json(), "What that module gets as its configuration. Nothing when absent."),
    percent: required(z.number().min(0).max(100), "The share of the requests, in percent; four decimals count."),
  })
  .meta({ description: "Another version of the filter, for a share of the requests." });

export const filterSchema = z
  .strictObject({
    listeners: required(
      distinct(z.array(documentName).min(1).max(1000)),
      "The HTTP listeners in whose requests the filter takes part.",
    ),
    sha256: required(sha256, "Which uploaded module runs, by the sha256 of its bytes."),
    config: optional(z.json(), "What the module gets as its configuration: any JSON. Nothing when absent."),
    failure: optional(
      z.enum(["closed", "open", "reload"]),
      "What becomes of requests once the module has crashed. `reload`: rejected until it is loaded anew, at most once a second. `closed`: rejected until the next push. `open`: passed without the filter, also while it was never loaded. When absent, what the module's manifest says; when that is silent, `reload`.",
    ),
    capabilities: optional(
      distinct(z.array(z.string().min(1).max(100)).max(200)),
      "The host calls that the module may make, such as `proxy_log`; a call that is not listed answers status 10. All that the module imports when absent.",
    ),
    canary: optional(
      canarySchema,
      "Another version, for a share of the requests. Only one filter of a listener may have one. `chancery filter push --canary` sets it, watches, and goes on or back.",
    ),
    order: optional(
      z.int().min(-1_000_000).max(1_000_000),
      "Filters of a listener run by ascending order, then by name.",
      filterDefaults.order,
    ),
  })
  .meta({ description: "A Wasm module in listeners, swapped in while requests flow." });

/** A Wasm module in listeners, swapped in while requests flow. */
export type FilterSpec = Immutable<Omit<z.infer<typeof filterSchema>, "config" | "canary">> & {
  /** Any JSON. */
  readonly config?: unknown;
  readonly canary?: CanarySpec;
};

/** Another version of a filter, for a share of the requests. */
export interface CanarySpec {
  readonly sha256: string;
  /** Any JSON. */
  readonly config?: unknown;
  /** 0 to 100. */
  readonly percent: number;
}
