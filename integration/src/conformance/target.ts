import { fileURLToPath, pathToFileURL } from "node:url";
import type { ResourceName, TestResource, TypeName } from "./resources.ts";

/**
 * A management server that the suite can be pointed at. Whatever it keeps, all nodes get the same resources, and
 * the clusters, routes and names in them mean nothing.
 */
export interface Target {
  /** For tables: "go-control-plane, linear cache". */
  readonly name: string;
  /** Where it serves discovery in plaintext: "127.0.0.1:18000". A restart may change it. */
  address(): string;
  /**
   * Sets and deletes resources at once. Resolves when the change is in force: every stream that was open has been
   * told, or will be before anything that it asks from now on is answered.
   */
  publish(change: Change): Promise<void>;
  /** What it says that it does not serve: rules that need it are left out, and say so. */
  readonly lacks: ReadonlySet<Feature>;
  /** Ends the server and starts it again with what was published. Absent where that says nothing, because nothing is kept. */
  restart?(): Promise<void>;
  stop(): Promise<void>;
}

export interface Change {
  readonly set: readonly TestResource[];
  readonly delete: readonly ResourceName[];
}

/** What a server may lack and say so: a resource type, or a feature that clients can do without. */
export type Feature = TypeName | "services of one type" | "TTL" | "restart";

/** What a module must export that CONFORMANCE_TARGET names. */
export interface TargetModule {
  /** `setup` is what follows the module's path and a "#". */
  startTarget(setup?: string): Promise<Target>;
}

/** Chancery's own target; after a "#" the number of its workers. */
export const chancery: string = fileURLToPath(new URL("./chancery-target.js", import.meta.url));

/** The target that is named by a module's path, "peer.js" or "peer.js#setup"; without a name, Chancery itself. */
export async function startTarget(name = chancery): Promise<Target> {
  const [path = chancery, setup] = name.split("#");
  const module = (await import(pathToFileURL(path).href)) as TargetModule;
  return module.startTarget(setup);
}
