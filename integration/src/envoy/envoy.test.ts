import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { bootstrap, findEnvoy, startEnvoy } from "@chancery/xds-server/envoy";
import { bootstrapOf, extension } from "../harness/static-bootstrap.ts";

const { path: envoy } = await findEnvoy();

const echoing = bootstrapOf({
  listeners: [{ name: "echo", filters: [extension("echo", "filters.network.echo.v3.Echo")] }],
});

test("starts an Envoy on free ports, reads its state, and stops it", async (t) => {
  const running = await startEnvoy({ envoy, bootstrap: echoing });
  t.after(() => running.stop());
  assert.ok(await running.isReady());
  assert.equal((await running.stats("^server\\.live$")).get("server.live"), 1);
  assert.deepEqual(await running.dynamicListeners(), []);
  await assert.rejects(running.listenerPort("other"), /no listener "other"; it has echo/);
  await assert.rejects(running.admin("/nothing"), /answered 404 to \/nothing/);

  const socket = connect({ host: "127.0.0.1", port: await running.listenerPort("echo") });
  socket.write("hello");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer.toString(), "hello");
  socket.destroy();

  await running.stop();
  assert.deepEqual(await running.exited, { code: 0, signal: null });
});

test("reports Envoy's message when Envoy rejects its bootstrap", async () => {
  await assert.rejects(startEnvoy({ envoy, bootstrap: { no_such_field: 1 } }), (error: Error) => {
    assert.match(error.message, /^Envoy ended \(code 1\) before it opened its admin:/);
    assert.match(error.message, /no_such_field/);
    const [, folder] = /(\/\S*chancery-envoy-\w+)/.exec(error.message) ?? [];
    assert.ok(folder !== undefined && !existsSync(folder), "the temporary folder is gone");
    return true;
  });
});

test("stops an Envoy that gets no configuration in time, or when the caller aborts", async () => {
  const waiting = bootstrap({
    variant: "delta",
    xds: { host: "127.0.0.1", port: 1 },
    nodeId: "edge-1",
    cluster: "edge",
  });
  await assert.rejects(
    startEnvoy({ envoy, bootstrap: waiting, startLimitMs: 500 }),
    /Envoy had not answered after 500 ms/,
  );
  const controller = new AbortController();
  const starting = startEnvoy({ envoy, bootstrap: waiting, signal: controller.signal });
  controller.abort();
  await assert.rejects(starting, { name: "AbortError" });
});

for (const [variant, method] of [
  ["delta", "DeltaAggregatedResources"],
  ["sotw", "StreamAggregatedResources"],
] as const) {
  test(`with the ${variant} bootstrap Envoy calls the management server's method of that variant`, async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    // Envoy closes its connection abruptly.
    server.on("session", (session) => session.on("error", () => {}));
    server.on("stream", (stream) => stream.on("error", () => {}));
    const opened = once(server, "stream") as Promise<[unknown, Record<string, string>]>;
    const running = await startEnvoy({
      envoy,
      bootstrap: bootstrap({
        variant,
        xds: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
        nodeId: "edge-1",
        cluster: "edge",
      }),
      waitFor: "admin",
    });
    t.after(() => running.stop());
    const [, headers] = await opened;
    assert.equal(headers[":path"], `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`);
    assert.equal(await running.isReady(), false);
  });
}
