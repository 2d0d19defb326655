import { z } from "zod";
import { distinct, documentName, type Immutable, optional, required } from "./fields.ts";

/** The name of a version. Semantic versions are allowed, and other names as well. */
export const versionName = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/, 'must be 1 to 64 letters, digits or any of ".+_-"');

/** The values of the fields that a Filter leaves out. `failure` holds only if the module's manifest has none either. */
export const filterDefaults = { failure: "reload", order: 0 } as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256: 64 lower-case hexadecimal digits");

const canarySchema = z
  .strictObject({
    sha256: required(sha256, "The uploaded module that handles these requests, by the sha256 of its bytes."),
    config: optional(z.json(), "The configuration of this module: any JSON. When absent: no configuration."),
    percent: required(
      z.number().min(0).max(100),
      "The share of the requests that goes to this module, in percent, with a precision of four decimals.",
    ),
  })
  .meta({ description: "A canary: another version of the filter, for a share of the requests." });

export const filterSchema = z
  .strictObject({
    listeners: required(
      distinct(z.array(documentName).min(1).max(1000)),
      "The names of the HTTP listeners whose requests pass through the filter.",
    ),
    sha256: required(sha256, "The uploaded module that runs, by the sha256 of its bytes."),
    config: optional(z.json(), "The configuration of the module: any JSON. When absent: no configuration."),
    failure: optional(
      z.enum(["closed", "open", "reload"]),
      "What happens to requests after the module has crashed. `reload`: the proxy rejects them until it has loaded the module again, at most once a second. `closed`: the proxy rejects them until the next push. `open`: they pass without the filter, also before the module is loaded for the first time. When absent: the value in the module's manifest, or `reload` if the manifest has none.",
    ),
    capabilities: optional(
      distinct(z.array(z.string().min(1).max(100)).max(200)),
      "The host calls that the module may make, such as `proxy_log`. Any other call returns status 10. When absent: all calls that the module imports.",
    ),
    canary: optional(
      canarySchema,
      "A canary: another version of the filter, for a share of the requests. Only one filter of a listener may have a canary. `chancery filter push --canary` sets it, watches the results, and then increases the share or removes the canary.",
    ),
    order: optional(
      z.int().min(-1_000_000).max(1_000_000),
      "The position among the filters of a listener: they run in ascending order, and by name if the order is equal.",
      filterDefaults.order,
    ),
  })
  .meta({ description: "A Wasm module that runs in listeners. A new version replaces it without losing requests." });

/** A Wasm module that runs in listeners. A new version replaces it without losing requests. */
export type FilterSpec = Immutable<Omit<z.infer<typeof filterSchema>, "config" | "canary">> & {
  /** Any JSON. */
  readonly config?: unknown;
  readonly canary?: CanarySpec;
};

/** A canary: another version of a filter, for a share of the requests. */
export interface CanarySpec {
  readonly sha256: string;
  /** Any JSON. */
  readonly config?: unknown;
  /** 0 to 100. */
  readonly percent: number;
}
