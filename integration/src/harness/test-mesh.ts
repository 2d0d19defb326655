import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Document, DocumentKey } from "@chancery/xds-server";
import {
  type BootstrapOptions,
  bootstrap,
  type RunningEnvoy,
  type StartEnvoyOptions,
} from "@chancery/xds-server/envoy";
import { type CommandResult, runChancery } from "./command.ts";
import { listen } from "./listening.ts";
import { Load } from "./load.ts";
import { type ServerProcess, serve } from "./server-process.ts";
import { startTestEnvoy } from "./test-envoy.ts";

/** The result of a change on one proxy. */
export interface Outcome {
  readonly nodeId: string;
  readonly state: "synced" | "pending" | "rejected" | "disconnected";
  readonly rejections: readonly Rejection[];
}

interface Rejection {
  readonly type: string;
  readonly name: string;
  /** The reason that Envoy gave. */
  readonly reason: string;
}

export interface ProxySummary {
  readonly nodeId: string;
  readonly state: Outcome["state"];
  readonly types: readonly { readonly rejections: readonly Rejection[] }[];
}

export type AnyDocument = Pick<Document, "kind" | "name"> & { readonly spec: unknown };

export interface Change {
  readonly set?: readonly AnyDocument[];
  readonly delete?: readonly DocumentKey[];
}

type EnvoyOptions = Pick<BootstrapOptions, "variant"> &
  Partial<Pick<BootstrapOptions, "nodeId" | "cluster" | "xdsTls" | "loadReports">> &
  Pick<StartEnvoyOptions, "waitFor"> & {
    /** Further fields of the proxy's node: locality and metadata. */
    readonly node?: Readonly<Record<string, unknown>>;
    /** Worker threads. Absent: 2. */
    readonly concurrency?: number;
  };

/** A server, with the Envoys and services of one test. Its disposal closes all of them, the newest first. */
export class TestMesh implements AsyncDisposable {
  readonly folder: string;
  readonly #closers: (() => unknown)[] = [];
  readonly #flags: readonly string[];
  #server: ServerProcess;

  private constructor(folder: string, server: ServerProcess, flags: readonly string[]) {
    this.folder = folder;
    this.#server = server;
    this.#flags = flags;
  }

  /** Starts the server. The flags are added to the usual ones. */
  static async start(flags: readonly string[] = []): Promise<TestMesh> {
    const folder = mkdtempSync(path.join(tmpdir(), "chancery-mesh-"));
    return new TestMesh(folder, await serve({ dataDir: path.join(folder, "data"), args: flags }), flags);
  }

  get xds(): { readonly host: string; readonly port: number } {
    const { hostname: host, port } = new URL(`http://${this.#server.xds}`);
    return { host, port: Number(port) };
  }

  /** The admin API's URL. */
  get admin(): string {
    return `http://${this.#server.admin}`;
  }

  get serverPid(): number {
    return this.#server.pid;
  }

  /** Kills the server with SIGKILL. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    return this.#server.stop(signal);
  }

  /** Starts the server again, on the same ports and the same data. */
  async restart(): Promise<void> {
    const { xds: xdsListen, admin: adminListen } = this.#server;
    this.#server = await serve({ dataDir: path.join(this.folder, "data"), xdsListen, adminListen, args: this.#flags });
  }

  async envoy({
    nodeId = "edge-1",
    cluster = "edge",
    waitFor = "ready",
    node,
    concurrency = 2,
    ...rest
  }: EnvoyOptions) {
    const filled = bootstrap({ ...rest, xds: this.xds, nodeId, cluster });
    const named = { ...filled, node: { id: nodeId, cluster, ...node } };
    const envoy = await startTestEnvoy(named, { workers: concurrency, waitFor });
    this.#closers.push(() => envoy.stop());
    return envoy;
  }

  /** Starts to send requests to a listener at a steady rate. */
  async load(envoy: RunningEnvoy, listener = "edge"): Promise<Load> {
    const load = new Load(`http://127.0.0.1:${await envoy.listenerPort(listener)}/`);
    this.#closers.push(() => load.stop());
    return load;
  }

  /** Starts an HTTP service. Returns its port. */
  service(answer: RequestListener): Promise<number> {
    return this.listen(createServer(answer));
  }

  /** Starts an HTTP service that answers with its name. Returns its port. */
  serviceNamed(name: string, { afterMs = 0 }: { readonly afterMs?: number } = {}): Promise<number> {
    return this.service((_, response) => {
      if (afterMs === 0) response.end(name);
      else setTimeout(() => response.end(name), afterMs);
    });
  }

  /** Starts a server, which is closed with the mesh. Returns its port. */
  async listen(server: Server): Promise<number> {
    const { port, close } = await listen(server);
    this.#closers.push(close);
    return port;
  }

  /** Runs a `chancery` command against the server. */
  chancery(args: readonly string[], input = ""): Promise<CommandResult> {
    return runChancery(args, { admin: this.admin, input });
  }

  /** Makes a change. Returns the result on each proxy after at most `wait`. Throws when the server rejects the change. */
  async write(change: Change, wait = "0s"): Promise<readonly Outcome[]> {
    return (await this.send<{ readonly proxies: readonly Outcome[] }>(`/api/v1/apply?wait=${wait}`, change)).proxies;
  }

  /** Makes a change. Throws unless each proxy that gets it accepts it within 10 s. */
  async apply(change: Change): Promise<void> {
    for (const { nodeId, state, rejections } of await this.write(change, "10s"))
      assert.equal(state, "synced", `${nodeId}: ${JSON.stringify(rejections)}`);
  }

  /** Uploads a module of a filter. Returns its SHA-256. */
  async upload(filter: string, wasm: Uint8Array<ArrayBuffer>): Promise<string> {
    const headers = { "content-type": "application/wasm" };
    const url = `/api/v1/filters/${filter}/versions`;
    const version = await this.#admin(url, { method: "POST", headers, body: wasm });
    return (version as { readonly sha256: string }).sha256;
  }

  async proxies(): Promise<readonly ProxySummary[]> {
    return (await this.read<{ readonly items: readonly ProxySummary[] }>("/api/v1/proxies")).items;
  }

  /** The text of /metrics. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.admin}/metrics`)).text();
  }

  /** Reads JSON from the admin API. The caller names its type. */
  async read<T>(target: string): Promise<T> {
    return (await this.#admin(target)) as T;
  }

  /** Sends JSON by POST, and returns the JSON of the response. The caller names its type. */
  async send<T>(target: string, body: unknown): Promise<T> {
    return (await this.#admin(target, { method: "POST", ...json(body) })) as T;
  }

  /** Sends JSON by PUT. */
  async put(target: string, body: unknown): Promise<void> {
    await this.#admin(target, { method: "PUT", ...json(body) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    await this.#server.stop();
    rmSync(this.folder, { recursive: true });
  }

  async #admin(target: string, request: RequestInit = {}): Promise<unknown> {
    const answer = await fetch(`${this.admin}${target}`, request);
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return JSON.parse(text);
  }
}

function json(body: unknown): RequestInit {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
