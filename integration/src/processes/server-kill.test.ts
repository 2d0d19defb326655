import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const kills = Number(process.env["CHANCERY_KILLS"] ?? 10);
/** The maximum time from a ready server to a synced proxy. */
const maxResyncMs = 2_000;

/** Envoy answers "/round" with the number of the round, which shows its configuration. A service answers other requests. */
const round = (number: number, port: number): readonly AnyDocument[] => [
  { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["shop"] } } },
  { kind: "Cluster", name: `shop-${number % 2}`, spec: { endpoints: [{ address: "127.0.0.1", port }] } },
  {
    kind: "Route",
    name: "shop",
    spec: {
      hosts: ["*"],
      routes: [
        { match: { path: "/round" }, directResponse: { status: 200, body: String(number) } },
        { match: {}, cluster: `shop-${number % 2}` },
      ],
    },
  },
];

/** Reads the round over one connection, one request after another. A lower number after a higher one is a step back. */
class RoundWatch implements AsyncDisposable {
  newest = 0;
  readonly stepsBack: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #watching: Promise<void>;
  #isStopped = false;

  constructor(url: string) {
    this.#watching = this.#watch(url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#watching;
    this.#agent.destroy();
  }

  async #watch(url: string): Promise<void> {
    while (!this.#isStopped) {
      const now = Number(await this.#read(url));
      if (now < this.newest) this.stepsBack.push(`${this.newest} to ${now}`);
      this.newest = now;
      await delay(2);
    }
  }

  #read(url: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = get(url, { agent: this.#agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      answer.on("end", () => resolve(text)).on("error", reject);
    });
    request.on("error", reject);
    return promise;
  }
}

for (const variant of ["delta", "sotw"] as const) {
  const times = Math.ceil(kills / 2);
  test(`${variant}: a server killed ${times} times during changes loses none that it acknowledged, and no request fails`, async (t) => {
    await using mesh = await TestMesh.start();
    const port = await mesh.serviceNamed("served", { afterMs: 10 });
    await mesh.apply({ set: round(0, port) });
    const envoy = await mesh.envoy({ variant });
    const load = await mesh.load(envoy);
    await using watch = new RoundWatch(`http://127.0.0.1:${await envoy.listenerPort("edge")}/round`);
    const resyncs: number[] = [];
    let written = 0;
    for (let number = 1; number <= times; number++) {
      const change = { set: round(number, port) };
      const acknowledged = mesh.write(change).then(
        () => true,
        () => false,
      );
      await delay(Math.random() * 40);
      await mesh.kill();
      const wasWritten = await acknowledged;
      if (wasWritten) written += 1;
      await mesh.restart();
      const start = performance.now();
      await eventually(
        async () => (await mesh.proxies()).some(({ state }) => state === "synced"),
        "the proxy is synced",
      );
      resyncs.push(performance.now() - start);
      // An acknowledged change is stored. Only others are written again.
      if (!wasWritten) await mesh.apply(change);
      await eventually(async () => watch.newest === number, `round ${number} is served`);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.deepEqual(watch.stepsBack, []);
    const slowest = Math.max(...resyncs);
    assert.ok(slowest < maxResyncMs, `slowest resync took ${slowest} ms`);
    t.diagnostic(
      `${load.answered("served")} requests, ${written} of ${times} changes written before the kill, slowest resync ${Math.round(slowest)} ms`,
    );
  });
}
