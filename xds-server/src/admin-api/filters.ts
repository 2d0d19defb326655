import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import { versionName } from "../model/filter.ts";
import { component, milliseconds } from "./components.ts";
import { writeQuery } from "./writes.ts";

export const pushQuery = z.strictObject({
  version: versionName
    .optional()
    .describe(
      "The version of the module. The push is rejected if this version exists with other bytes. When absent, the module's manifest gives the version. If that version exists with other bytes, the beginning of the digest is added: `1.2.0+3fa9c1d2`. If the manifest has no version, the beginning of the digest is the version.",
    ),
});

export const rollbackQuery = z.strictObject({
  ...writeQuery.shape,
  to: versionName
    .optional()
    .describe("The version to go back to. When absent: the version that ran before the current one."),
});

export const nameParams = z.object({
  name: z.string().describe("The name of the document or of the filter, percent-encoded."),
});
export const versionParams = z.object({
  ...nameParams.shape,
  version: z.string().describe("The version, percent-encoded."),
});

export const filterVersion = component(
  "FilterVersion",
  z.object({
    filter: z.string().describe("The name of the filter."),
    version: z.string().describe("Unique within its filter. The bytes of a version never change."),
    sha256: z.string().describe("The sha256 of the module, in lower-case hexadecimal digits."),
    pushedAt: milliseconds.describe("The time of the first push, in milliseconds since the epoch."),
    bytes: z.int().describe("The size of the module. 0 when the server no longer has it."),
    abi: z.string().exactOptional().describe("The version of proxy-wasm that the module is built for."),
    capabilities: z.array(z.string()).exactOptional().describe("The host calls that the module imports."),
    description: z.string().exactOptional().describe("The description in the module's manifest."),
    usedBy: z.array(z.string()).describe("The names of the Filter documents that run this version."),
  }),
);
/** One version of a filter, without its bytes. The optional fields are absent when the server no longer has the module. */
export type FilterVersion = Immutable<z.infer<typeof filterVersion>>;
export const filterVersionList = component("FilterVersionList", z.object({ items: z.array(filterVersion) }));

const filterStatus = z.object({
  name: z.string().describe("The name of the Filter document."),
  version: z
    .string()
    .exactOptional()
    .describe("The name of the version that runs. Absent when no version of any filter has this module."),
  sha256: z.string().describe("The sha256 of the module that runs."),
  listeners: z.array(z.string()).describe("The listeners whose requests pass through the filter."),
  failure: z
    .string()
    .exactOptional()
    .describe(
      "What happens to requests after the module has crashed: `closed`, `open` or `reload`. Absent when the server no longer has the module.",
    ),
  capabilities: z
    .array(z.string())
    .exactOptional()
    .describe("The host calls that the module may make. Absent when the server no longer has the module."),
  canary: z
    .object({
      version: z
        .string()
        .exactOptional()
        .describe("The name of the canary's version. Absent when no version of any filter has its module."),
      sha256: z.string().describe("The sha256 of the canary's module."),
      percent: z.number().describe("The share of the requests, in percent."),
    })
    .exactOptional()
    .describe("The version that handles a share of the requests. Absent when no canary runs."),
});
/** The state of one Filter document: the versions that run, its failure policy and its host calls. */
export type FilterStatus = Immutable<z.infer<typeof filterStatus>>;
export const filterStatusList = component("FilterStatusList", z.object({ items: z.array(filterStatus) }));

export const sourceMap = component(
  "SourceMap",
  z.looseObject({ version: z.literal(3), sources: z.array(z.string().nullable()), mappings: z.string() }),
);
export const sourceMapKept = component(
  "SourceMapKept",
  z.object({ sha256: z.string().describe("The sha256 of the module that the source map belongs to.") }),
);

export const trapText = component(
  "TrapText",
  z.strictObject({
    text: z.string().describe("The lines that Envoy logged, from `Function: ... failed` to the end of the backtrace."),
  }),
);
const place = z.object({
  file: z.string().describe("The source file, as the source map names it."),
  line: z.int().describe("Counts from 1."),
  column: z.int().describe("Counts from 1."),
});
export type Place = Immutable<z.infer<typeof place>>;
export const trap = component(
  "Trap",
  z.object({
    filter: z.string().exactOptional().describe("The filter's name in the log. Absent when the log has none."),
    version: z.string().exactOptional().describe("The filter's version in the log. Absent when the log has none."),
    callback: z
      .string()
      .exactOptional()
      .describe("The callback that failed, such as `proxy_on_request_headers`. Absent when the log does not name it."),
    cause: z.string().describe("Why it trapped, such as `unreachable` or `out of fuel`."),
    at: place
      .exactOptional()
      .describe("The innermost place in the filter's own source. Absent when no frame is in its source."),
    places: z.array(place).describe("The places of all frames that the source map knows, innermost first."),
  }),
);
export type Trap = Immutable<z.infer<typeof trap>>;
