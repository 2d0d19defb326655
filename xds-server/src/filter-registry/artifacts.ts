import { mkdir } from "node:fs/promises";
import type { Fault } from "../model/problem.ts";
import { Value } from "../process/watchable.ts";
import type { Artifact, Artifacts } from "./artifact.ts";
import type { AddResult, Catalog, Upload } from "./catalog.ts";
import { type CheckLimits, checkModule } from "./check-module.ts";
import { configFaults } from "./config-schema.ts";
import {
  readKept,
  readSourceMap,
  removeModule,
  sha256Of,
  writeIndex,
  writeModule,
  writeSourceMap,
} from "./kept-files.ts";
import { readFacts } from "./module-check.ts";
import { tryModule } from "./trial.ts";
import { chooseVersion, droppable, type FilterVersion } from "./versions.ts";

export interface CatalogOptions extends CheckLimits {
  /** The folder of the modules (SHA256.wasm) and of index.json. Created when it does not exist. */
  readonly directory: string;
  /** The maximum number of versions, of all filters together. */
  readonly maxVersions: number;
  /** The maximum size of all modules together, in bytes. */
  readonly maxTotalBytes: number;
  /** The digests of modules in documents of any kept revision. They are never dropped. Called only when there is no room. */
  readonly needed: () => Promise<ReadonlySet<string>>;
}

/** Opens the catalog of a folder. Modules whose digest does not match their name are left out and listed in `faults`. */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  await mkdir(options.directory, { recursive: true });
  const { versions, modules, faults } = await readKept(options.directory);
  const artifacts = new Map<string, Artifact>();
  for (const { sha256, filter, pushedAt } of versions) {
    const wasm = modules.get(sha256);
    const facts = wasm === undefined || artifacts.has(sha256) ? undefined : readFacts(wasm);
    if (wasm !== undefined && facts !== undefined)
      artifacts.set(sha256, { sha256, wasm, facts, filter, uploadedAt: pushedAt });
  }
  return new DiskCatalog(options, { artifacts, versions, faults });
}

interface Opened {
  readonly artifacts: Artifacts;
  readonly versions: readonly FilterVersion[];
  readonly faults: readonly string[];
}

class DiskCatalog extends Value<Artifacts> implements Catalog {
  readonly faults: readonly string[];
  readonly #options: CatalogOptions;
  /** Oldest first. */
  #versions: readonly FilterVersion[];
  /**
   * The last trial or write. They run one after the other: a trial uses a thread, and a write of the index must include all
   * earlier writes.
   */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CatalogOptions, { artifacts, versions, faults }: Opened) {
    super(artifacts);
    this.faults = faults;
    this.#versions = versions;
    this.#options = options;
  }

  add(upload: Upload): Promise<AddResult> {
    return this.#inTurn(() => this.#add(upload));
  }

  async checkConfiguration(sha256: string, config: unknown): Promise<readonly Fault[]> {
    const artifact = this.get().get(sha256);
    if (artifact === undefined) throw new Error(`No module with sha256 ${sha256} is kept`);
    const { configSchema } = artifact.facts.manifest ?? {};
    const faults = configSchema === undefined || config === undefined ? [] : configFaults(configSchema, config);
    if (faults.length > 0) return faults;
    const configuration = config === undefined ? "" : JSON.stringify(config);
    return this.#inTurn(() => tryModule(artifact.wasm, { configuration, timeLimitMs: this.#options.trialTimeLimitMs }));
  }

  keepSourceMap(sha256: string, map: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.get().has(sha256)) await writeSourceMap(this.#options.directory, sha256, map);
    });
  }

  sourceMap(sha256: string): Promise<string | undefined> {
    return readSourceMap(this.#options.directory, sha256);
  }

  versions(filter?: string): readonly FilterVersion[] {
    return this.#versions.filter((version) => filter === undefined || version.filter === filter).toReversed();
  }

  async #add({ filter, wasm, version: requested }: Upload): Promise<AddResult> {
    const sha256 = sha256Of(wasm);
    const known = this.get().get(sha256);
    const checked =
      known === undefined ? await checkModule(wasm, this.#options) : ({ ok: true, facts: known.facts } as const);
    if (!checked.ok) return checked;
    const { facts } = checked;
    const chosen = chooseVersion(this.#versions, {
      filter,
      sha256,
      requested,
      manifestVersion: facts.manifest?.version,
    });
    if ("fault" in chosen) return { ok: false, faults: [chosen.fault] };
    if ("found" in chosen && known !== undefined) return { ok: true, artifact: known, version: chosen.found };

    const pushedAt = Date.now();
    const version = "found" in chosen ? chosen.found : { filter, version: chosen.version, sha256, pushedAt };
    const artifact = known ?? { sha256, wasm, facts, filter, uploadedAt: version.pushedAt };
    const room = await this.#makeRoomFor(version, artifact);
    if (room === undefined) return { ok: false, faults: [registryFull(this.#options)] };
    const { kept, dropped } = room;
    const { directory } = this.#options;
    try {
      if (known === undefined) await writeModule(directory, sha256, wasm);
      await writeIndex(directory, kept.versions);
    } catch (error) {
      this.#show(dropped);
      throw error;
    }
    for (const { sha256: gone } of dropped) await removeModule(directory, gone);
    this.#versions = kept.versions;
    if (known === undefined) this.set(kept.artifacts);
    return { ok: true, artifact, version };
  }

  /**
   * Chooses the modules to drop, and hides them from writes. A write can name a module after `needed` was asked and before
   * the module is hidden. So `needed` is asked again afterwards; a module that is needed now is shown again, and the choice repeated.
   */
  async #makeRoomFor(version: FilterVersion, artifact: Artifact) {
    for (;;) {
      const kept = await this.#withRoomFor(version, artifact);
      if (kept === undefined) return undefined;
      const dropped = [...this.get().values()].filter(({ sha256 }) => !kept.artifacts.has(sha256));
      if (dropped.length === 0) return { kept, dropped };
      this.#hide(dropped);
      const needed = await this.#options.needed();
      if (!dropped.some(({ sha256 }) => needed.has(sha256))) return { kept, dropped };
      this.#show(dropped);
    }
  }

  #hide(artifacts: readonly Artifact[]): void {
    const hidden = new Set(artifacts.map(({ sha256 }) => sha256));
    this.set(new Map([...this.get()].filter(([sha256]) => !hidden.has(sha256))));
  }

  #show(artifacts: readonly Artifact[]): void {
    if (artifacts.length === 0) return;
    this.set(new Map([...this.get(), ...artifacts.map((each) => [each.sha256, each] as const)]));
  }

  /** The catalog with this version, and without as many old versions as needed. Undefined when there is no room for it. */
  async #withRoomFor(version: FilterVersion, artifact: Artifact): Promise<Omit<Opened, "faults"> | undefined> {
    const { maxVersions, maxTotalBytes, needed } = this.#options;
    let kept = this.#versions.filter((each) => each !== version);
    const artifacts = new Map(this.get()).set(artifact.sha256, artifact);
    const isTooMuch = () => kept.length >= maxVersions || totalBytes(artifacts) > maxTotalBytes;
    const names = isTooMuch() ? new Set([...(await needed()), artifact.sha256]) : new Set<string>();
    while (isTooMuch()) {
      const dropped = droppable(kept, names);
      if (dropped === undefined) return undefined;
      kept = kept.filter((each) => each !== dropped);
      if (!kept.some(({ sha256 }) => sha256 === dropped.sha256)) artifacts.delete(dropped.sha256);
    }
    return { versions: [...kept, version], artifacts };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function totalBytes(artifacts: Artifacts): number {
  let sum = 0;
  for (const { wasm } of artifacts.values()) sum += wasm.length;
  return sum;
}

function registryFull({ maxVersions, maxTotalBytes }: CatalogOptions): Fault {
  return {
    code: "FILTER_REGISTRY_FULL",
    message: `does not fit into the registry: it keeps at most ${maxVersions} versions and ${maxTotalBytes} bytes, and documents of kept revisions need all modules in it`,
    hint: "raise --limit maxModules or maxModulesBytes, or lower keepRevisions",
  };
}
