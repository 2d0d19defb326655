import { fileURLToPath, pathToFileURL } from "node:url";
import type { ResourceName, TestResource, TypeName } from "./resources.ts";

/**
 * A management server that the suite can test. All nodes get the same resources. The server need not know what the clusters,
 * routes and names in them mean.
 */
export interface Target {
  /** The name in tables: "go-control-plane, linear cache". */
  readonly name: string;
  /** Where it serves discovery in plaintext: "127.0.0.1:18000". A restart may change it. */
  address(): string;
  /**
   * Sets and deletes resources in one publication. Resolves when the change is in force: every open stream has received it, or
   * will receive it before the answer to any later request.
   */
  publish(change: Change): Promise<void>;
  /** The features that it does not have. Tests of rules that need one are skipped. */
  readonly lacks: ReadonlySet<Feature>;
  /** Stops the server, and starts it again with the published resources. Absent when it keeps no resources over a restart. */
  restart?(): Promise<void>;
  stop(): Promise<void>;
}

export interface Change {
  readonly set: readonly TestResource[];
  readonly delete: readonly ResourceName[];
}

/** A feature that a target may lack: a resource type, or something that clients can do without. */
export type Feature = TypeName | "services of one type" | "TTL" | "restart";

/** The exports of a module that CONFORMANCE_TARGET names. */
export interface TargetModule {
  /** `setup` is the text after the "#" that follows the module's path. Absent when there is no "#". */
  startTarget(setup?: string): Promise<Target>;
}

/** The module of Chancery's own target. Its setup is the number of workers. */
export const chancery: string = fileURLToPath(new URL("./chancery-target.js", import.meta.url));

/** Starts the target of a module, "peer.js" or "peer.js#setup". Without a name, it starts Chancery. */
export async function startTarget(name = chancery): Promise<Target> {
  const [path = chancery, setup] = name.split("#");
  const module = (await import(pathToFileURL(path).href)) as TargetModule;
  return module.startTarget(setup);
}
