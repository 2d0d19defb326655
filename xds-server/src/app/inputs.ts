import path from "node:path";
import { openCatalog } from "../filter-registry/artifacts.ts";
import type { Catalog } from "../filter-registry/catalog.ts";
import { modulesInUse } from "../mesh-writing/filter-check.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { AppContext } from "./context.ts";

/** The data that the server stores and compiles. */
export interface Inputs {
  readonly store: Store;
  readonly catalog: Catalog;
}

/** Opens the store and the filter modules. Throws a ProblemsError when the store cannot be used. */
export async function openInputs(context: AppContext): Promise<Inputs> {
  const store = context.config.store ?? openStore(context);
  return { store, catalog: await openModules(context, store) };
}

function openStore({ config, limits, log, now, onClose }: AppContext): Store {
  const store = openSqliteStore({
    directory: config.dataDir,
    now,
    keepRevisions: limits.keepRevisions,
    watcherFailed: (error) => log.error({ err: error }, "a revision is stored, but a watcher of the store failed"),
  });
  onClose(() => store.close());
  return store;
}

async function openModules({ config, limits, log }: AppContext, store: Store): Promise<Catalog> {
  const catalog = await openCatalog({
    directory: path.join(config.dataDir, "filters"),
    maxModuleBytes: limits.maxModuleBytes,
    maxMemoryPages: limits.maxModuleMemoryPages,
    maxVersions: limits.maxModules,
    maxTotalBytes: limits.maxModulesBytes,
    trialTimeLimitMs: limits.moduleTrialMs,
    needed: () => modulesInUse(store),
  });
  for (const fault of catalog.faults) log.error({ fault }, "a filter module cannot be used, and is ignored");
  return catalog;
}
