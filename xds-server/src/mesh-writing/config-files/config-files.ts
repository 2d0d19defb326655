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
  /** How long the files must stay unchanged before they are read, in milliseconds. A program may still be writing them. */
  readonly settleMs?: number;
  /** The time between two looks for changes that the operating system does not report, in milliseconds. */
  readonly pollMs?: number;
  readonly limits?: TreeLimits;
}

export type ConfigFiles =
  /** The files are applied, and are watched until `close`. It resolves when nothing more is applied. */
  { readonly ok: true; close(): Promise<void> } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Applies the files, and applies them again whenever they change. Problems at the start are returned. Later problems are
 * logged, and the mesh stays as the last good files made it.
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
  /** The revision at which the files were rejected. They may be good at another one. Undefined when they were applied. */
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
      // Otherwise, each event in a busy folder would cause a look at all files.
      await this.#pauseToSettle();
      // Renewed before the look, so that an event during the look ends the next pause early.
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

  /** Applies the files when nobody is writing them. Resolves to undefined when closed before that. */
  async #applySettled({ atStart }: { readonly atStart: boolean }): Promise<Application | undefined> {
    const { store, writer } = this.#options;
    const { stamp, read } = await this.#settled();
    if (this.#closing.signal.aborted) return undefined;
    const signal = this.#closing.signal;
    const application = await applyFiles(read, { store, writer, mayDeleteAll: !atStart, signal });
    if (application === undefined) return undefined;
    this.#handled = stamp;
    this.#rejectedAt = application.ok ? undefined : store.get().revision;
    // The caller of `start` reports problems at the start.
    if (application.ok || !atStart) this.#report(application, read.files.length);
    return application;
  }

  /** Reads the files, again and again until they stay unchanged for a while before the read and during it. */
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

  /** Looks through the paths. Looks again after a new folder is watched, because nothing reports its earlier changes. */
  async #look(): Promise<Tree> {
    for (;;) {
      const tree = await lookThrough(this.#options.paths, this.#limits);
      if (this.#closing.signal.aborted || !this.#watchOnly(tree.folders)) return tree;
    }
  }

  /** Watches these folders and no others. Returns whether one of them is new. */
  #watchOnly(folders: Tree["folders"]): boolean {
    for (const [identity, watcher] of this.#folders) if (!folders.has(identity)) this.#unwatch(identity, watcher);
    const before = this.#folders.size;
    for (const [identity, path] of folders) {
      if (this.#folders.has(identity)) continue;
      try {
        const watcher = watch(path, { persistent: false }, () => this.#waking.abort());
        watcher.on("error", () => this.#unwatch(identity, watcher));
        this.#folders.set(identity, watcher);
      } catch {
        // The machine has too many watches, or the folder no longer exists. Polling finds the changes instead.
      }
    }
    return this.#folders.size > before;
  }

  #unwatch(identity: string, watcher: FSWatcher): void {
    watcher.close();
    this.#folders.delete(identity);
  }

  #report(application: Application, files: number): void {
    const { log } = this.#options;
    const text = JSON.stringify(application);
    if (text === this.#reported) return;
    this.#reported = text;
    if (!application.ok) {
      for (const problem of application.problems)
        log.error({ problem }, problem.source ? `${problem.source}: ${problem.message}` : problem.message);
      return;
    }
    const { isUnchanged, revision, documents } = application;
    log.info({ files, documents, revision }, isUnchanged ? unchangedMessage : "The configuration files are applied");
  }
}

const unchangedMessage =
  "The configuration files are the same as those applied last, so the mesh keeps the changes that others made since";

/** Waits, or ends early when the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
