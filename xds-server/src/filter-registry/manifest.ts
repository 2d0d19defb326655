import { z } from "zod";
import { versionName } from "../model/filter.ts";
import type { Fault } from "../model/problem.ts";
import { schemaFault } from "./config-schema.ts";
import type { WasmBinary } from "./wasm-binary.ts";

/** The custom section of a module with its manifest, as JSON. So the module's digest also covers the manifest. */
const manifestSection = "chancery.manifest";
const maxManifestBytes = 256 * 1024;

const metric = z.strictObject({
  name: z.string().min(1).max(200),
  type: z.enum(["counter", "gauge", "histogram"]),
  description: z.string().max(1000).optional(),
  tags: z.array(z.string().min(1).max(100)).max(20).optional(),
});

const manifestSchema = z.strictObject({
  name: z.string().min(1).max(253),
  version: versionName.optional(),
  description: z.string().max(1000).optional(),
  failure: z.enum(["closed", "open", "reload"]).optional(),
  holdsHeaders: z.boolean().optional(),
  metrics: z.array(metric).max(200).optional(),
  configSchema: z.union([z.record(z.string(), z.json()), z.boolean()]).optional(),
});

type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

/** The author's description of a filter. The build adds it to the module. It does not repeat what can be read from the code. */
export type Manifest = Immutable<Omit<z.infer<typeof manifestSchema>, "configSchema">> & {
  /** JSON Schema (2020-12) of the configuration. Absent: any JSON, and only the filter itself checks it. */
  readonly configSchema?: object | boolean;
};

export type ReadManifest =
  | { readonly ok: true; readonly manifest: Manifest | undefined }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the manifest of a module. Undefined when the module has none, because another tool built it. */
export function readManifest({ customSections }: WasmBinary): ReadManifest {
  const section = customSections.get(manifestSection);
  if (section === undefined) return { ok: true, manifest: undefined };
  if (section.length > maxManifestBytes) {
    const message = `has a manifest of ${section.length} bytes; the maximum is ${maxManifestBytes}`;
    return { ok: false, faults: [{ code: "FILTER_MANIFEST_INVALID", message }] };
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(section));
  } catch (error) {
    const message = `has a manifest that is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, faults: [{ code: "FILTER_MANIFEST_INVALID", message }] };
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) return { ok: false, faults: parsed.error.issues.map(issueFault) };
  const manifest = parsed.data as Manifest;
  const fault = manifest.configSchema === undefined ? undefined : schemaFault(manifest.configSchema);
  if (fault === undefined) return { ok: true, manifest };
  const message = `has a configuration schema that is not valid: ${fault}`;
  return { ok: false, faults: [{ code: "FILTER_MANIFEST_INVALID", path: "configSchema", message }] };
}

function issueFault({ message, path }: z.core.$ZodIssue): Fault {
  const where = path.join(".");
  return {
    code: "FILTER_MANIFEST_INVALID",
    message: `has a manifest that cannot be read${where === "" ? "" : `, at ${where}`}: ${message}`,
    path: where,
  };
}
