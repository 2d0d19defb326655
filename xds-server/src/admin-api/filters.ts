import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import { versionName } from "../model/filter.ts";
import { component, milliseconds } from "./components.ts";
import { writeQuery } from "./writes.ts";

export const pushQuery = z.strictObject({
  version: versionName
    .optional()
    .describe("Its version, which must not have other bytes; what the module's manifest says when absent"),
});

export const rollbackQuery = z.strictObject({
  ...writeQuery.shape,
  to: versionName.optional().describe("A version; the one that ran before the present one when absent"),
});

export const nameParams = z.object({ name: z.string().describe("The document's name, percent-encoded") });
export const versionParams = z.object({
  ...nameParams.shape,
  version: z.string().describe("The version, percent-encoded"),
});

export const filterVersion = component(
  "FilterVersion",
  z.object({
    filter: z.string(),
    version: z.string().describe("Unique within its filter; never means other bytes"),
    sha256: z.string(),
    pushedAt: milliseconds,
    bytes: z.int().describe("0 when the module was lost"),
    abi: z.string().exactOptional().describe("proxy-wasm, as the module says"),
    capabilities: z.array(z.string()).exactOptional().describe("The host calls that it imports"),
    description: z.string().exactOptional(),
    usedBy: z.array(z.string()).describe("Filter documents"),
  }),
);
/** One version of a filter, without its bytes. What the module itself says is absent when the module was lost. */
export type FilterVersion = Immutable<z.infer<typeof filterVersion>>;
export const filterVersionList = component("FilterVersionList", z.object({ items: z.array(filterVersion) }));

const filterStatus = z.object({
  name: z.string(),
  version: z.string().exactOptional(),
  sha256: z.string(),
  listeners: z.array(z.string()),
  failure: z.string().exactOptional().describe("closed, open or reload, as it is in force"),
  capabilities: z.array(z.string()).exactOptional().describe("The host calls that it may make"),
  canary: z
    .object({ version: z.string().exactOptional(), sha256: z.string(), percent: z.number() })
    .exactOptional()
    .describe("The version that a share of the requests gets"),
});
/** One Filter document with what it means. `version` is the name that it was pushed under. */
export type FilterStatus = Immutable<z.infer<typeof filterStatus>>;
export const filterStatusList = component("FilterStatusList", z.object({ items: z.array(filterStatus) }));

export const sourceMap = component(
  "SourceMap",
  z.looseObject({ version: z.literal(3), sources: z.array(z.string().nullable()), mappings: z.string() }),
);
export const sourceMapKept = component("SourceMapKept", z.object({ sha256: z.string().describe("Of the module") }));

export const trapText = component("TrapText", z.strictObject({ text: z.string().describe("What Envoy logged") }));
const place = z.object({ file: z.string(), line: z.int(), column: z.int() });
export type Place = Immutable<z.infer<typeof place>>;
export const trap = component(
  "Trap",
  z.object({
    filter: z.string().exactOptional(),
    version: z.string().exactOptional(),
    callback: z.string().exactOptional(),
    cause: z.string().describe('"unreachable", "out of fuel"'),
    at: place.exactOptional().describe("The innermost place in the filter's own source"),
    places: z.array(place).describe("Innermost first"),
  }),
);
export type Trap = Immutable<z.infer<typeof trap>>;
