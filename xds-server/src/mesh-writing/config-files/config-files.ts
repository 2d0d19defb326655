import { type FSWatcher, watch } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import type { Problem } from "../../model/problem.ts";
import type { Store } from "../../store/store.ts";
import type { MeshWriter } from "../mesh-writer.ts";
import { type Application, applyFiles } from "./apply.ts";
import { lookThrough, type ReadFiles, readTree, type Tree, type TreeLimits } from "./tree.ts";

export interface ConfigFilesOptions {
  /** Files, and folders of *.yaml, *.yml and *.json files. */
  readonly paths: readonly string[];
  readonly store: Store;
  readonly writer: MeshWriter;
  readonly log: Pick<Logger, "info" | "error">;
  /** How long the files must have been left alone before they are read: a writer may be half through. */
  readonly settleMs?: number;
  /** How often to look, for changes that the operating system does not tell of. */
  readonly pollMs?: number;
  readonly limits?: TreeLimits;
}

export type ConfigFiles =
  /** The files are applied, and watched until `close`, which ends when nothing is applied any more. */
  { readonly ok: true; close(): Promise<void> } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Applies the files, then again whenever they change. Faulty files at the start are the answer; later ones are logged,
 * and the mesh stays as the last good files made it.
 */
export async function watchConfigFiles(options: ConfigFilesOptions): Promise<ConfigFiles> {
  if (options.paths.length === 0) return { ok: true, close: async () => undefined };
  const watcher = new ConfigWatcher(options);
  const problems = await watcher.start();
  return problems.length === 0 ? { ok: true, close: () => watcher.close() } : { ok: false, problems };
}

const maxEntries = 10_000;
const maxFileBytes = 16 * 1024 * 1024;
const defaultLimits: TreeLimits = { maxEntries, maxFileBytes };
const defaultPollMs = 2_000;
const defaultSettleMs = 100;

class ConfigWatcher {
  readonly #options: ConfigFilesOptions;
  readonly #limits: TreeLimits;
  readonly #closing = new AbortController();
  readonly #folders = new Map<string, FSWatcher>();
  #waking = new AbortController();
  /** The stamp of the files that were last applied or rejected. */
  #handled = "";
  /** The revision that the files were rejected at; they may be good at another. */
  #rejectedAt: number | undefined;
  #reported = "";
  #running: Promise<void> = Promise.resolve();

  constructor(options: ConfigFilesOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
  }

  async start(): Promise<readonly Problem[]> {
    const application = await this.#applySettled({ atStart: true });
    if (application?.ok === false) {
      await this.close();
      return application.problems;
    }
    this.#running = this.#run();
    return [];
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const folder of this.#folders.values()) folder.close();
    this.#folders.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { pollMs = defaultPollMs, log, store } = this.#options;
    while (!this.#closing.signal.aborted) {
      await pause(pollMs, AbortSignal.any([this.#closing.signal, this.#waking.signal]));
      // A busy folder would otherwise have its files looked at for each thing that happens in it.
      await this.#pauseToSettle();
      // Renewed before looking, so that what happens from here on cuts the next pause short.
      this.#waking = new AbortController();
      try {
        const { stamp } = await this.#look();
        const mayBeGoodNow = this.#rejectedAt !== undefined && this.#rejectedAt !== store.get().revision;
        if (stamp !== this.#handled || mayBeGoodNow) await this.#applySettled({ atStart: false });
      } catch (error) {
        log.error({ err: error }, "Cannot apply the configuration files");
      }
    }
  }

  /** Applies the files once nobody is writing them. Undefined when closed before that. */
  async #applySettled({ atStart }: { readonly atStart: boolean }): Promise<Application | undefined> {
    const { store, writer } = this.#options;
    const { stamp, read } = await this.#settled();
    if (this.#closing.signal.aborted) return undefined;
    const signal = this.#closing.signal;
    const application = await applyFiles(read, { store, writer, mayDeleteAll: !atStart, signal });
    if (application === undefined) return undefined;
    this.#handled = stamp;
    this.#rejectedAt = application.ok ? undefined : store.get().revision;
    // Faults at the start are the answer to whoever starts it, who says them.
    if (application.ok || !atStart) this.#report(application, read.files.length);
    return application;
  }

  /** What the files say after they were left alone for a while, before and while they were read. */
  async #settled(): Promise<{ readonly stamp: string; readonly read: ReadFiles }> {
    for (let before = await this.#look(); ; ) {
      await this.#pauseToSettle();
      const tree = await this.#look();
      const read = await readTree(tree, this.#limits);
      const after = await this.#look();
      const isSettled = before.stamp === tree.stamp && tree.stamp === after.stamp;
      if (isSettled || this.#closing.signal.aborted) return { stamp: tree.stamp, read };
      before = after;
    }
  }

  #pauseToSettle(): Promise<void> {
    return pause(this.#options.settleMs ?? defaultSettleMs, this.#closing.signal);
  }

  /** What happens in a folder before it is followed is told by nobody, so a new folder means to look once more. */
  async #look(): Promise<Tree> {
    for (;;) {
      const tree = await lookThrough(this.#options.paths, this.#limits);
      if (this.#closing.signal.aborted || !this.#follow(tree.folders)) return tree;
    }
  }

  /** Answers whether a folder is followed that was not before. */
  #follow(folders: Tree["folders"]): boolean {
    for (const [identity, watcher] of this.#folders) if (!folders.has(identity)) this.#unfollow(identity, watcher);
    const before = this.#folders.size;
    for (const [identity, path] of folders) {
      if (this.#folders.has(identity)) continue;
      try {
        const watcher = watch(path, { persistent: false }, () => this.#waking.abort());
        watcher.on("error", () => this.#unfollow(identity, watcher));
        this.#folders.set(identity, watcher);
      } catch {
        // Too many watches on this machine, or the folder is gone again: polling finds what this one would have told.
      }
    }
    return this.#folders.size > before;
  }

  #unfollow(identity: string, watcher: FSWatcher): void {
    watcher.close();
    this.#folders.delete(identity);
  }

  #report(application: Application, files: number): void {
    const { log } = this.#options;
    const said = JSON.stringify(application);
    if (said === this.#reported) return;
    this.#reported = said;
    if (!application.ok) {
      for (const problem of application.problems)
        log.error({ problem }, problem.source ? `${problem.source}: ${problem.message}` : problem.message);
      return;
    }
    const { asBefore, revision, documents } = application;
    log.info({ files, documents, revision }, asBefore ? leftAsIs : "The configuration files are applied");
  }
}

const leftAsIs =
  "The configuration files are those applied last: the mesh is left as it is, with what was changed since by other ways";

/** Ends early when the signal says so. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
