import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { get } from "../harness/get.ts";
import { repository } from "../harness/server-process.ts";
import { TestMesh } from "../harness/test-mesh.ts";

test("a trap in a running Envoy is located in the source, also when the fuel runs out", async () => {
  await using mesh = await TestMesh.start();
  const envoy = await mesh.envoy({ variant: "delta", concurrency: 1 });
  const port = await freePort();
  const documents = [
    { kind: "Route", name: "shop", spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200 } }] } },
    { kind: "Listener", name: "edge", spec: { port, http: { routes: ["shop"] } } },
  ];
  await mesh.chancery(["apply", "-f", "-"], JSON.stringify(documents));
  const folder = path.join(repository, "integration/testdata/trap-filter");
  const pushed = await mesh.chancery(["filter", "push", folder, "--to", "edge"]);
  assert.equal(pushed.exitCode, 0, pushed.stdout + pushed.stderr);
  for (const [what, line, cause] of [
    ["/divide", 21, "divide by zero"],
    ["/endless", 24, "out of fuel"],
  ] as const) {
    let log = "";
    await eventually(async () => {
      await get(port, what);
      log = envoy.recentLog().join("\n");
      return log.includes(cause);
    }, `"${cause}" in Envoy's log`);
    const located = await mesh.chancery(["filter", "locate", "trap"], log.slice(log.lastIndexOf("Function: ")));
    assert.equal(located.exitCode, 0, located.stdout + located.stderr + log);
    const words = `^trap 1\\.2\\.3 trapped in proxy_on_request_headers: .*${cause}.*, at assembly/index\\.ts:${line}:\\d+`;
    assert.match(located.stdout, new RegExp(words));
  }
  const nothing = await mesh.chancery(["filter", "locate", "trap"], "all is well");
  assert.match(nothing.stderr, /the text contains none \[FILTER_NO_TRAP\]/);
});
