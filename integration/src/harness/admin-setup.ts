import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { bootstrap, findEnvoy, type RunningEnvoy, startEnvoy, type XdsVariant } from "@chancery/xds-server/envoy";
import { chanceryBin, repository, serve } from "./server-process.ts";

/** `chancery serve`, one Envoy on it, and two services "v1" and "v2" that say who they are. */
export interface Edge extends AsyncDisposable {
  readonly admin: string;
  readonly envoy: RunningEnvoy;
  /** A port that nothing listens on yet. */
  readonly port: number;
  readonly ports: Readonly<Record<"v1" | "v2", number>>;
  /** Runs a `chancery` command against the server. */
  chancery(args: readonly string[], input?: string): Promise<Ran>;
  /** Sends JSON to the admin API; throws what it refuses. */
  put(path: string, body: unknown): Promise<void>;
  /** What the admin API answers, as JSON; throws what it refuses. */
  read<T>(path: string): Promise<T>;
  /** What the listener answers. */
  get(path?: string): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }>;
}

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function startEdge(variant: XdsVariant): Promise<Edge> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "chancery-edge-"));
  const services = { v1: await service("v1"), v2: await service("v2") };
  const server = await serve({ dataDir });
  const port = await freePort();
  const [host = "", xdsPort = ""] = server.xds.split(":");
  const envoy = await startEnvoy({
    envoy: (await findEnvoy()).path,
    bootstrap: bootstrap({ variant, xds: { host, port: Number(xdsPort) }, nodeId: "edge-1", cluster: "edge" }),
    args: ["--concurrency", "1"],
    logLevel: "error",
  });
  const admin = `http://${server.admin}`;
  return {
    admin,
    envoy,
    port,
    ports: { v1: portOf(services.v1), v2: portOf(services.v2) },
    chancery: (args, input = "") => chancery(args, { input, admin }),
    async put(where, body) {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(new URL(where, admin), { method: "PUT", headers, body: JSON.stringify(body) });
      assert.ok(answer.ok, await answer.text());
    },
    async read<T>(where: string) {
      const answer = await fetch(new URL(where, admin));
      assert.ok(answer.ok, await answer.clone().text());
      return (await answer.json()) as T;
    },
    async get(where = "/") {
      const answer = await fetch(`http://127.0.0.1:${port}${where}`, { headers: { connection: "close" } });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
    async [Symbol.asyncDispose]() {
      await envoy.stop();
      await server.stop();
      for (const each of Object.values(services)) {
        each.close();
        each.closeAllConnections();
      }
      rmSync(dataDir, { recursive: true });
    },
  };
}

async function chancery(args: readonly string[], { input, admin }: { input: string; admin: string }): Promise<Ran> {
  const child = spawn(process.execPath, [chanceryBin, ...args], {
    cwd: repository,
    env: { ...process.env, NO_COLOR: "1", CHANCERY_ADMIN: admin },
    timeout: 120_000,
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  child.stdin.on("error", () => {}).end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("close", resolve);
  const exitCode = await promise;
  return { exitCode, ...output };
}

async function service(name: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(name));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return server;
}

async function freePort(): Promise<number> {
  const server = await service("free");
  const port = portOf(server);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
  return port;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
