import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ProblemDetails } from "../admin-api/problems.ts";
import { memoCompile } from "../compile/memo.ts";
import { openCatalog } from "../filter-registry/artifacts.ts";
import type { Catalog } from "../filter-registry/catalog.ts";
import { LoadReports } from "../load/load-reports.ts";
import { modulesInUse } from "../mesh-writing/filter-check.ts";
import { meshWriter } from "../mesh-writing/mesh-writer.ts";
import { nowhere } from "../model/node.ts";
import { Turns } from "../process/turns.ts";
import { localStatuses, NodeStatus } from "../proxy-status/node-status.ts";
import { worstState } from "../proxy-status/proxy-state.ts";
import type { StreamStatus } from "../proxy-status/proxy-status.ts";
import { startReconciler } from "../publishing/reconciler.ts";
import { SnapshotCache } from "../publishing/snapshot-cache.ts";
import { resourceType } from "../resources/resource-types.ts";
import { emptySnapshot, resourcesOf } from "../resources/snapshot.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { createLog } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { jsonMediaType } from "./body.ts";
import { startAdmin } from "./server.ts";

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON body. Undefined for any other content type. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read many shapes, and a wrong one fails the test
  readonly body: any;
}

export interface TestRequest {
  readonly body?: unknown;
  /** Sent unchanged, instead of `body` as JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running admin API with real parts: a store in a temporary folder, compiler, catalog and reconciler. */
export interface TestAdmin extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly catalog: Catalog;
  readonly statuses: NodeStatus;
  readonly loads: LoadReports;
  /** The turns of the event loop that writes use. */
  readonly turns: Turns;
  send(method: string, path: string, request?: TestRequest): Promise<TestAnswer>;
  /** The published version of a resource. "none" when there is none. */
  versionOf(shortName: string, name: string): string;
  /** Connects a proxy with one stream. `describe` returns the state of its resources. */
  connect(nodeId: string, describe: () => StreamStatus["types"]): { changed(): void; close(): void };
}

export async function testAdmin(options: { token?: string; maxBodyBytes?: number } = {}): Promise<TestAdmin> {
  const { maxBodyBytes = 1024 * 1024 } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "chancery-admin-"));
  const log = createLog({ level: "silent" });
  const store = openSqliteStore({ directory, now: Date.now, keepRevisions: 1_000 });
  const catalog = await openCatalog({
    directory: path.join(directory, "filters"),
    ...{ maxModuleBytes: 1e6, maxMemoryPages: 4096, maxVersions: 10, maxTotalBytes: 1e7, trialTimeLimitMs: 5000 },
    needed: () => modulesInUse(store),
  });
  const compile = memoCompile();
  const cache = new SnapshotCache();
  const statuses = new NodeStatus({ maxGone: 10, now: Date.now });
  const turns = new Turns();
  const writer = meshWriter({ store, catalog, compile, turns });
  const reconciler = startReconciler({
    meshes: writer,
    artifacts: catalog,
    compile,
    cache,
    holdOffMs: 5,
    log,
  });
  const metrics = createMetrics({ maxLoadClusters: 10 });
  const loads = new LoadReports({
    maxPlaces: 100,
    maxPlacesPerProxy: 100,
    idleMs: 60_000,
    now: Date.now,
    counted: (load) => metrics.load(load),
  });
  metrics.read({ revision: () => store.get().revision, proxies: async () => statuses.overviews() });
  const admin = await startAdmin({
    listen: { host: "127.0.0.1", port: 0 },
    store,
    writer,
    catalog,
    proxies: localStatuses(statuses),
    loads,
    snapshots: () => cache.get()?.snapshots ?? new Map(),
    metrics,
    log,
    maxBodyBytes,
    notReady: () => undefined,
    ...(options.token === undefined ? {} : { token: options.token }),
  });
  const url = `http://127.0.0.1:${admin.port}`;
  return {
    url,
    port: admin.port,
    store,
    catalog,
    statuses,
    loads,
    turns,
    versionOf(shortName, name) {
      const snapshot = cache.get()?.snapshots.get("default") ?? emptySnapshot;
      return resourcesOf(snapshot, resourceType(shortName).typeUrl).get(name)?.version ?? "none";
    },
    send: (method, where, request) => send(method, new URL(where, url), request),
    connect(nodeId, describe) {
      const node = {
        id: nodeId,
        cluster: "edge",
        metadata: {},
        locality: nowhere,
        version: "1.40.0",
      };
      const stream = { id: 1, peer: "127.0.0.1:4000", variant: "delta", openedAt: 1 } as const;
      const close = statuses.opened({
        node,
        group: () => "default",
        state: () => worstState(describe().map(({ state }) => state)),
        describe: () => ({ ...stream, types: describe() }),
      });
      return { close, changed: () => statuses.changed(nodeId) };
    },
    async [Symbol.asyncDispose]() {
      await admin.close();
      reconciler.close();
      await writer.close();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function send(
  method: string,
  url: URL,
  { body, raw, type = jsonMediaType, headers = {} }: TestRequest = {},
): Promise<TestAnswer> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    headers: { ...(payload === undefined ? {} : { "content-type": type }), ...headers },
    ...(payload === undefined ? {} : { body: payload }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/** The codes of a rejection. */
export function codesOf({ body }: TestAnswer): readonly string[] {
  return (body as ProblemDetails).problems.map(({ code }) => code);
}

export const cart = { kind: "Cluster", name: "cart", spec: { endpoints: [{ address: "127.0.0.1", port: 9002 }] } };
export const cartV2 = { kind: "Cluster", name: "cart-v2", spec: { endpoints: [{ address: "127.0.0.1", port: 9003 }] } };
export const shop = {
  kind: "Route",
  name: "shop",
  spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart" }] },
};
export const edge = { kind: "Listener", name: "edge", spec: { port: 10_000, http: { routes: ["shop"] } } };
export const mesh = [cart, cartV2, shop, edge];
