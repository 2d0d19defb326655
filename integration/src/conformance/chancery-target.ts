import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ServerProcess, serve } from "../harness/server-process.ts";
import { ClientStream } from "./client-stream.ts";
import { type ResourceName, resource, type TestResource } from "./resources.ts";
import type { Target } from "./target.ts";

/** Starts `chancery serve` as users do, and publishes through its admin API. `setup` is the number of its workers. */
export async function startTarget(setup = "0"): Promise<Target> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "chancery-conformance-"));
  const workers = Number(setup);
  const args = ["--log-level", "error", "--workers", setup];
  let server = await serve({ dataDir, args });
  let witness = await Witness.of(server, workers);
  return {
    name: workers === 0 ? "Chancery" : `Chancery, ${workers} workers`,
    address: () => server.xds,
    lacks: new Set(),
    publish: (change) => witness.publish(change),
    async restart() {
      witness.close();
      await server.stop();
      server = await serve({ dataDir, args });
      witness = await Witness.of(server, workers);
    },
    async stop() {
      witness.close();
      await server.stop();
      rmSync(dataDir, { recursive: true });
    },
  };
}

/**
 * The admin API answers a write when it is stored. The publication may be a few milliseconds later. So each write also sets a
 * mark, which is a resource of its own. The write is in force when a stream on each serving process has received the mark.
 */
class Witness {
  readonly #admin: string;
  readonly #streams: readonly ClientStream[];
  /** Increases with each write, and is higher after a restart than before. */
  #mark = Date.now();

  private constructor(admin: string, streams: readonly ClientStream[]) {
    this.#admin = admin;
    this.#streams = streams;
  }

  /** The server gives connections to its workers in turn. So each worker gets one of as many connections as there are workers. */
  static async of({ admin, xds }: ServerProcess, workers: number): Promise<Witness> {
    const streams: ClientStream[] = [];
    for (let number = 0; number < Math.max(1, workers); number += 1) {
      const stream = new ClientStream({
        address: xds,
        path: "/envoy.service.runtime.v3.RuntimeDiscoveryService/DeltaRuntime",
        variant: "delta",
        nodeId: "witness",
        features: [],
        patienceMs: 10_000,
        maxResponses: Number.POSITIVE_INFINITY,
      });
      stream.subscribe("RTDS", "witness");
      stream.ack(await stream.next());
      streams.push(stream);
    }
    return new Witness(admin, streams);
  }

  async publish({
    set,
    delete: gone,
  }: {
    set: readonly TestResource[];
    delete: readonly ResourceName[];
  }): Promise<void> {
    const mark = resource("RTDS", "witness", ++this.#mark);
    const body = {
      set: [...set, mark].map((each) => ({ ...documentKey(each), spec: { ...ttlOf(each), resource: each.json } })),
      delete: gone.map(documentKey),
    };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`http://${this.#admin}/api/v1/apply`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, await answer.text());
    await Promise.all(this.#streams.map(async (stream) => stream.ack(await stream.next())));
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }
}

const documentKey = ({ type, name }: ResourceName) => ({ kind: "EnvoyResource", name: `${type}.${name}` });

const ttlOf = ({ ttlMs }: TestResource) => (ttlMs === undefined ? {} : { ttl: `${ttlMs / 1000}s` });
