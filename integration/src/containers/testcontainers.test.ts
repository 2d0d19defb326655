import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { startApp } from "@chancery/xds-server";
import { bootstrap } from "@chancery/xds-server/envoy";
import { GenericContainer, Wait } from "testcontainers";
import { findContainerEngine } from "../harness/container-engine.ts";

const engine = await findContainerEngine();
const skip = "missing" in engine ? engine.missing : false;
if (skip) process.stderr.write(`Envoy's image is not tested: ${skip}\n`);

const mesh = [
  {
    kind: "Route",
    name: "hello",
    spec: {
      hosts: ["*"],
      routes: [{ match: { prefix: "/" }, directResponse: { status: 200, body: "from the image" } }],
    },
  },
  { kind: "Listener", name: "edge", spec: { address: "0.0.0.0", port: 10000, http: { routes: ["hello"] } } },
];

test("Envoy's image serves a route that it gets from a server on this machine", {
  skip,
  timeout: 180_000,
}, async (t) => {
  if ("missing" in engine) return;
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-testcontainers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "mesh.json");
  writeFileSync(file, JSON.stringify(mesh));
  const app = await startApp({
    // Containers cannot reach this machine's loopback.
    xdsListen: { host: "0.0.0.0", port: 0 },
    adminListen: { host: "127.0.0.1", port: 0 },
    dataDir: path.join(folder, "data"),
    config: [file],
    logLevel: "silent",
  });
  t.after(() => app.close());

  // The name of this machine in containers. Podman defines it; Docker needs an extra host.
  const thisMachine = engine.found.isPodman ? "host.containers.internal" : "host.docker.internal";
  const extraHosts = engine.found.isPodman ? [] : [{ host: thisMachine, ipAddress: "host-gateway" }];
  const settings = bootstrap({
    variant: "delta",
    xds: { host: thisMachine, port: app.xds.port },
    nodeId: "edge-in-image",
    cluster: "edge",
  });
  const envoy = await new GenericContainer("envoyproxy/envoy:v1.40.0")
    .withUser("101:101")
    .withEntrypoint(["/usr/local/bin/envoy"])
    .withCommand(["--config-path", "/etc/envoy/envoy.json", "--disable-hot-restart"])
    .withCopyContentToContainer([{ content: JSON.stringify(settings), target: "/etc/envoy/envoy.json" }])
    .withExtraHosts(extraHosts)
    .withExposedPorts(10000)
    .withWaitStrategy(Wait.forHttp("/", 10000))
    .withStartupTimeout(60_000)
    .start();
  t.after(() => envoy.stop());

  const answer = await fetch(`http://${envoy.getHost()}:${envoy.getMappedPort(10000)}/`);
  assert.equal(await answer.text(), "from the image");
});
