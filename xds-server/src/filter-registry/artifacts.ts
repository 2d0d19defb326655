import { mkdir } from "node:fs/promises";
import { Value } from "../process/watchable.ts";
import type { AddResult, Artifact, Artifacts, Catalog, Upload } from "./catalog.ts";
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
import type { ModuleFault } from "./module-fault.ts";
import { tryModule } from "./trial.ts";
import { chooseVersion, droppable, type FilterVersion } from "./versions.ts";

export interface CatalogOptions extends CheckLimits {
  /** Where the modules are kept, as SHA256.wasm, with index.json. Made when it does not exist. */
  readonly directory: string;
  /** How many versions are kept, of all filters. */
  readonly maxVersions: number;
  /** How many bytes all modules may have. */
  readonly maxTotalBytes: number;
  /** The digests that must not be dropped: those that documents of any kept revision name. Asked when there is no room. */
  readonly needed: () => ReadonlySet<string>;
}

/** Opens the modules kept in a folder. Those whose bytes are not what their name says are left out, see `faults`. */
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
  /** Trials and writes go one after the other: each takes a thread, and the last write must hold what all wrote. */
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

  async checkConfiguration(sha256: string, config: unknown): Promise<readonly ModuleFault[]> {
    const artifact = this.get().get(sha256);
    if (artifact === undefined) throw new Error(`No module with sha256 ${sha256} is kept`);
    const { configSchema } = artifact.facts.manifest ?? {};
    const faults = configSchema === undefined || config === undefined ? [] : configFaults(configSchema, config);
    if (faults.length > 0) return faults.map(schemaFault);
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

  async #add({ filter, wasm, version: wished }: Upload): Promise<AddResult> {
    const sha256 = sha256Of(wasm);
    const known = this.get().get(sha256);
    const checked =
      known === undefined ? await checkModule(wasm, this.#options) : ({ ok: true, facts: known.facts } as const);
    if (!checked.ok) return checked;
    const { facts } = checked;
    const chosen = chooseVersion(this.#versions, { filter, sha256, wished, own: facts.manifest?.version });
    if ("fault" in chosen) return { ok: false, faults: [chosen.fault] };
    if ("found" in chosen && known !== undefined) return { ok: true, artifact: known, version: chosen.found };

    const pushedAt = Date.now();
    const version = "found" in chosen ? chosen.found : { filter, version: chosen.version, sha256, pushedAt };
    const artifact = known ?? { sha256, wasm, facts, filter, uploadedAt: version.pushedAt };
    const room = this.#roomFor(version, artifact);
    if (room === undefined) return { ok: false, faults: [noRoom(this.#options)] };
    const { directory } = this.#options;
    if (known === undefined) await writeModule(directory, sha256, wasm);
    await writeIndex(directory, room.versions);
    for (const gone of this.get().keys()) if (!room.artifacts.has(gone)) await removeModule(directory, gone);
    this.#versions = room.versions;
    if (known === undefined || room.artifacts.size < this.get().size) this.set(room.artifacts);
    return { ok: true, artifact, version };
  }

  /** What is kept with one version more, and the oldest unneeded ones less; undefined when there is no room for it. */
  #roomFor(version: FilterVersion, artifact: Artifact): Omit<Opened, "faults"> | undefined {
    const { maxVersions, maxTotalBytes, needed } = this.#options;
    let kept = this.#versions.filter((each) => each !== version);
    const artifacts = new Map(this.get()).set(artifact.sha256, artifact);
    const isTooMuch = () => kept.length >= maxVersions || totalBytes(artifacts) > maxTotalBytes;
    const names = isTooMuch() ? new Set([...needed(), artifact.sha256]) : new Set<string>();
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

function noRoom({ maxVersions, maxTotalBytes }: CatalogOptions): ModuleFault {
  return {
    code: "FILTER_REGISTRY_FULL",
    message: `finds no room: at most ${maxVersions} versions and ${maxTotalBytes} bytes are kept, and documents of kept revisions need all that are there`,
    hint: "raise --limit maxModules or maxModulesBytes, or lower keepRevisions",
  };
}

function schemaFault({ path, message, found, known }: ReturnType<typeof configFaults>[number]): ModuleFault {
  const hint = known === undefined || known.length === 0 ? undefined : `known are ${known.join(", ")}`;
  return { code: "FILTER_CONFIG_INVALID", path, message, found, ...(hint === undefined ? {} : { hint }) };
}
