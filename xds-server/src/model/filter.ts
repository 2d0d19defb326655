import { z } from "zod";
import { distinct, documentName, type Immutable, optional, required } from "./fields.ts";

/** What holds where a Filter, and for `failure` its module too, is silent. */
export const filterDefaults = { failure: "reload", order: 0 } as const;

export const filterSchema = z
  .strictObject({
    listeners: required(
      distinct(z.array(documentName).min(1).max(1000)),
      "The HTTP listeners in whose requests the filter takes part.",
    ),
    sha256: required(
      z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in 64 lower-case hexadecimal digits"),
      "Which uploaded module runs, by the sha256 of its bytes.",
    ),
    config: optional(z.json(), "What the module gets as its configuration: any JSON. Nothing when absent."),
    failure: optional(
      z.enum(["closed", "open", "reload"]),
      "What becomes of requests once the module has crashed. `reload`: refused until it is loaded anew, at most once a second. `closed`: refused until the next push. `open`: passed without the filter, also while it was never loaded. When absent, what the module's manifest says; when that is silent, `reload`.",
    ),
    capabilities: optional(
      distinct(z.array(z.string().min(1).max(100)).max(200)),
      "The host calls that the module may make, such as `proxy_log`; a call that is not listed answers status 10. All that the module imports when absent.",
    ),
    order: optional(
      z.int().min(-1_000_000).max(1_000_000),
      "Filters of a listener run by ascending order, then by name.",
      filterDefaults.order,
    ),
  })
  .meta({ description: "A Wasm module in listeners, swapped in while requests flow." });

/** A Wasm module in listeners, swapped in while requests flow. */
export type FilterSpec = Immutable<Omit<z.infer<typeof filterSchema>, "config">> & {
  /** Any JSON. */
  readonly config?: unknown;
};
