import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchedFilter } from "@chancery/xds-server/filter-bench";

/**
 * The content of `bench.json` in a filter's folder. It is used when a plain GET of "/" with `config.json` does not show
 * the cost.
 */
interface BenchFile extends Pick<BenchedFilter, "body" | "answer" | "clusters"> {
  /** Replaces config.json. */
  readonly config?: unknown;
  readonly method?: string;
  readonly path?: string;
  /** "name: value" */
  readonly headers?: readonly string[];
}

const known = ["config", "method", "path", "headers", "body", "answer", "clusters"];

/** The part of a filter's package.json that is read. */
interface About {
  readonly chancery?: { readonly holdsHeaders?: unknown };
}

export interface ShippedFilter {
  readonly folder: string;
  readonly bench: Omit<BenchedFilter, "name" | "wasmPath">;
}

/** The filters of this repository: the folders beside this one with a config.json. */
export async function shippedFilters(): Promise<readonly ShippedFilter[]> {
  const filters = fileURLToPath(new URL("../../", import.meta.url));
  const found: ShippedFilter[] = [];
  for (const name of (await readdir(filters)).sort()) {
    const folder = join(filters, name);
    const shipped = await readJson(join(folder, "config.json"));
    if (shipped === undefined || name === "template") continue;
    const about = (await readJson(join(folder, "package.json"))) as About | undefined;
    const bench = benchOf(shipped, await readBenchFile(join(folder, "bench.json")));
    found.push({ folder, bench: { ...bench, holdsHeaders: about?.chancery?.holdsHeaders === true } });
  }
  return found;
}

function benchOf(shipped: unknown, file: BenchFile): ShippedFilter["bench"] {
  const { config = shipped, method, path = "/", headers = [], ...exchange } = file;
  return { config, request: { ...(method === undefined ? {} : { method }), path, headers }, ...exchange };
}

async function readBenchFile(file: string): Promise<BenchFile> {
  const read = ((await readJson(file)) ?? {}) as BenchFile;
  const unknown = Object.keys(read).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`${file} has unknown fields ${unknown.join(", ")}; known fields are ${known.join(", ")}`);
  return read;
}

/** Undefined when the file does not exist. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw new Error(`Cannot read ${file}`, { cause: error });
  }
}
