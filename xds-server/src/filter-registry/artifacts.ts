import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Value } from "../watchable.ts";
import type { AddResult, Artifact, Artifacts, Catalog } from "./catalog.ts";
import { checkModule } from "./module-check.ts";
import { tryModule } from "./trial.ts";

export interface CatalogOptions {
  /** Where the modules are kept, as SHA256.wasm, with index.json. Made when it does not exist. */
  readonly directory: string;
  /** The largest module that is kept. Modules travel inline in xDS responses. */
  readonly maxModuleBytes: number;
  /** How many modules are kept. When there are so many, further ones are refused. */
  readonly maxArtifacts: number;
  /** For starting and configuring a module on trial: 5 seconds unless given. */
  readonly trialTimeLimitMs?: number;
}

/** Opens the modules kept in a folder. Those whose bytes are not what their name says are left out, see `faults`. */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  await mkdir(options.directory, { recursive: true });
  const { artifacts, faults } = await load(options.directory);
  return new DiskCatalog(options, artifacts, faults);
}

class DiskCatalog extends Value<Artifacts> implements Catalog {
  readonly faults: readonly string[];
  readonly #options: CatalogOptions;
  readonly #timeLimitMs: number;
  /** Trials and writes go one after the other: each takes a thread, and the last write must hold what all wrote. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CatalogOptions, artifacts: Artifacts, faults: readonly string[]) {
    super(artifacts);
    this.faults = faults;
    this.#options = options;
    this.#timeLimitMs = options.trialTimeLimitMs ?? 5000;
  }

  add(upload: { readonly filter: string; readonly wasm: Uint8Array }): Promise<AddResult> {
    return this.#inTurn(() => this.#add(upload));
  }

  async checkConfiguration(sha256: string, configuration: string): Promise<readonly string[]> {
    const artifact = this.get().get(sha256);
    if (artifact === undefined) return [`no module with sha256 ${sha256} was uploaded`];
    return this.#inTurn(() => tryModule(artifact.wasm, { configuration, timeLimitMs: this.#timeLimitMs }));
  }

  list(filter?: string): readonly Artifact[] {
    return [...this.get().values()]
      .filter((artifact) => filter === undefined || artifact.filter === filter)
      .sort((a, b) => b.uploadedAt - a.uploadedAt);
  }

  async #add({ filter, wasm }: { readonly filter: string; readonly wasm: Uint8Array }): Promise<AddResult> {
    const sha256 = hashOf(wasm);
    const known = this.get().get(sha256);
    if (known !== undefined) return { ok: true, artifact: known };
    const { maxModuleBytes, maxArtifacts, directory } = this.#options;
    if (wasm.length > maxModuleBytes) {
      return { ok: false, causes: [`has ${wasm.length} bytes; at most ${maxModuleBytes} are taken`] };
    }
    if (this.get().size >= maxArtifacts) {
      return { ok: false, causes: [`there is no room: ${maxArtifacts} modules are kept already, which is the most`] };
    }
    const causes = await checkModule(wasm, { timeLimitMs: this.#timeLimitMs });
    if (causes.length > 0) return { ok: false, causes };
    const artifact: Artifact = { sha256, filter, wasm, uploadedAt: Date.now() };
    const next = new Map(this.get()).set(sha256, artifact);
    await writeDurably(directory, moduleFile(sha256), wasm);
    await writeDurably(directory, indexFile, indexOf(next));
    this.set(next);
    return { ok: true, artifact };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

const indexFile = "index.json";
const moduleFile = (sha256: string): string => `${sha256}.wasm`;

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function indexOf(artifacts: Artifacts): string {
  const rows = [...artifacts.values()].map(({ sha256, filter, uploadedAt }) => ({ sha256, filter, uploadedAt }));
  return `${JSON.stringify({ artifacts: rows }, undefined, 2)}\n`;
}

interface Row {
  readonly sha256: string;
  readonly filter: string;
  readonly uploadedAt: number;
}

async function load(directory: string): Promise<{ artifacts: Artifacts; faults: string[] }> {
  const artifacts = new Map<string, Artifact>();
  const faults: string[] = [];
  for (const row of await readIndex(join(directory, indexFile), faults)) {
    const path = join(directory, moduleFile(row.sha256));
    const wasm = await readIfThere(path);
    const found = wasm === undefined ? "is missing" : `has the sha256 ${hashOf(wasm)}`;
    if (wasm !== undefined && hashOf(wasm) === row.sha256) artifacts.set(row.sha256, { ...row, wasm });
    else faults.push(`Cannot use ${path} of filter "${row.filter}": the file ${found}; upload the module again`);
  }
  return { artifacts, faults };
}

async function readIndex(path: string, faults: string[]): Promise<readonly Row[]> {
  const text = await readIfThere(path);
  if (text === undefined) return [];
  try {
    const { artifacts } = JSON.parse(new TextDecoder().decode(text)) as { readonly artifacts: readonly Row[] };
    return artifacts.map(({ sha256, filter, uploadedAt }) => {
      if (!/^[0-9a-f]{64}$/.test(sha256) || typeof filter !== "string" || typeof uploadedAt !== "number") {
        throw new TypeError("a row of it lacks sha256, filter or uploadedAt");
      }
      return { sha256, filter, uploadedAt };
    });
  } catch (error) {
    faults.push(
      `Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}; upload the modules again`,
    );
    return [];
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** After this the file is there in full, whatever stops the machine; before, the old one is. */
async function writeDurably(directory: string, name: string, content: Uint8Array | string): Promise<void> {
  const path = join(directory, name);
  const unfinished = `${path}.unfinished`;
  const file = await open(unfinished, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
