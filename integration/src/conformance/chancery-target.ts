import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ServerProcess, serve } from "../server-process.ts";
import { ClientStream } from "./client-stream.ts";
import { type ResourceName, resource, type TestResource } from "./resources.ts";
import type { Target } from "./target.ts";

/** `chancery serve` as users start it, written through its admin API. */
export async function startTarget(): Promise<Target> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "chancery-conformance-"));
  const args = ["--log-level", "error"];
  let server = await serve({ dataDir, args });
  let witness = await Witness.of(server);
  return {
    name: "Chancery",
    address: () => server.xds,
    lacks: new Set(),
    publish: (change) => witness.publish(change),
    async restart() {
      witness.close();
      await server.stop();
      server = await serve({ dataDir, args });
      witness = await Witness.of(server);
    },
    async stop() {
      witness.close();
      await server.stop();
      rmSync(dataDir, { recursive: true });
    },
  };
}

/**
 * The admin API answers a write when it is kept; its publication may be a few milliseconds later. Each write so carries
 * a mark, and is in force when a stream of ours has been told of it.
 */
class Witness {
  readonly #admin: string;
  readonly #stream: ClientStream;
  /** Higher with each write, and after a restart higher than before. */
  #mark = Date.now();

  private constructor({ admin, xds }: ServerProcess) {
    this.#admin = admin;
    const path = "/envoy.service.runtime.v3.RuntimeDiscoveryService/DeltaRuntime";
    this.#stream = new ClientStream({
      address: xds,
      path,
      variant: "delta",
      nodeId: "witness",
      features: [],
      patienceMs: 10_000,
      maxResponses: Number.POSITIVE_INFINITY,
    });
  }

  static async of(server: ServerProcess): Promise<Witness> {
    const witness = new Witness(server);
    witness.#stream.subscribe("RTDS", "witness");
    witness.#stream.ack(await witness.#stream.next());
    return witness;
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
    this.#stream.ack(await this.#stream.next());
  }

  close(): void {
    this.#stream.close();
  }
}

const documentKey = ({ type, name }: ResourceName) => ({ kind: "EnvoyResource", name: `${type}.${name}` });

const ttlOf = ({ ttlMs }: TestResource) => (ttlMs === undefined ? {} : { ttl: `${ttlMs / 1000}s` });
