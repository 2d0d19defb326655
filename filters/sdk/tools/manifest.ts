import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The description of a filter, from its folder. It is stored inside the module, so that one digest covers both. */
export interface Manifest {
  /** The filter's name: "request-policy". */
  readonly name: string;
  /** `version` of package.json. */
  readonly version?: string;
  /** `description` of package.json. */
  readonly description?: string;
  /**
   * `chancery.failure` of package.json: how requests are handled when the filter fails. A Filter document can override
   * it.
   */
  readonly failure?: unknown;
  /** `chancery.holdsHeaders` of package.json: the filter holds the headers until it has seen the body. */
  readonly holdsHeaders?: unknown;
  /** `chancery.metrics` of package.json: name, type, description and tags of each metric. */
  readonly metrics?: unknown;
  /** The content of config.schema.json: the JSON Schema of the configuration. */
  readonly configSchema?: unknown;
}

export type ReadManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly errors: readonly string[] };

/** True for a valid filter name. It is also used as a file name. */
export const isFilterName = (name: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name);

/** Reads package.json and config.schema.json in a filter's folder. The server checks their content. */
export async function readManifest(directory: string): Promise<ReadManifest> {
  const path = join(directory, "package.json");
  const about = await readJson(path);
  if (!about.ok) return about;
  if (about.value === undefined) {
    return { ok: false, errors: [`${directory} is not a filter: it has no package.json to name it`] };
  }
  const name = at(at(about.value, "chancery"), "filter") ?? at(about.value, "name");
  if (typeof name !== "string" || !isFilterName(name)) {
    const found = JSON.stringify(name) ?? "nothing";
    const wish = `"chancery": {"filter": NAME} should name the filter by lower-case letters, digits and - . _`;
    return { ok: false, errors: [`${path}: ${wish}; found ${found}`] };
  }
  const schema = await readJson(join(directory, "config.schema.json"));
  if (!schema.ok) return schema;
  const more = {
    version: at(about.value, "version"),
    description: at(about.value, "description"),
    failure: at(at(about.value, "chancery"), "failure"),
    holdsHeaders: at(at(about.value, "chancery"), "holdsHeaders"),
    metrics: at(at(about.value, "chancery"), "metrics"),
    configSchema: schema.value,
  };
  return { ok: true, manifest: { name, ...more } as Manifest };
}

const sectionName = "chancery.manifest";

/** Adds the manifest to a module, in a custom section that Envoy ignores. */
export function withManifest(wasm: Uint8Array, manifest: Manifest): Uint8Array {
  const name = new TextEncoder().encode(sectionName);
  const content = new TextEncoder().encode(JSON.stringify(manifest));
  const size = 1 + name.length + content.length;
  const section = [Uint8Array.of(0, ...unsigned(size), name.length), name, content];
  return new Uint8Array(Buffer.concat([wasm, ...section]));
}

/** https://webassembly.github.io/spec/core/binary/values.html#integers */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly errors: readonly string[] };

/** Reads a JSON file. The value is undefined when the file does not exist. */
async function readJson(path: string): Promise<Read> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, errors: [`${path}: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
