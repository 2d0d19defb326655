import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const type = (name: string) => `type.googleapis.com/${name}`;
const envoyResource = (name: string, resource: object): AnyDocument => ({
  kind: "EnvoyResource",
  name,
  spec: { resource: { name, ...resource } },
});
/** A cluster of type EDS needs a configuration source. Only Envoy checks that. */
const rawCluster = (kind: "EDS" | "STATIC") =>
  envoyResource("raw-cluster", { "@type": type("envoy.config.cluster.v3.Cluster"), type: kind });
/** A listener needs filter chains. Only Envoy checks that. */
const rawListener = (...filterChains: readonly object[]) =>
  envoyResource("raw-listener", {
    "@type": type("envoy.config.listener.v3.Listener"),
    address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
    filterChains,
  });
const echo = {
  filters: [{ name: "echo", typedConfig: { "@type": type("envoy.extensions.filters.network.echo.v3.Echo") } }],
};
const goodListener = (name: string): AnyDocument => ({
  kind: "Listener",
  name,
  spec: { port: 0, http: { routes: ["shop"] } },
});
const route = (cluster: string): AnyDocument => ({
  kind: "Route",
  name: "shop",
  spec: { hosts: ["*"], routes: [{ match: {}, cluster }] },
});

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: rejected resources hold back no others, the status has Envoy's reasons, and good versions end the rejections`, async () => {
    await using mesh = await TestMesh.start();
    const port = await mesh.serviceNamed("served");
    const cluster = (name: string): AnyDocument => ({
      kind: "Cluster",
      name,
      spec: { endpoints: [{ address: "127.0.0.1", port }] },
    });
    await mesh.apply({ set: [cluster("before"), route("before"), goodListener("a-good")] });
    const envoy = await mesh.envoy({ variant });
    const answerOf = async (listener: string) =>
      (await fetch(`http://127.0.0.1:${await envoy.listenerPort(listener)}/`)).text();
    assert.equal(await answerOf("a-good"), "served");

    // One write sets good and bad resources. Good ones are before and after the bad ones in the order of names.
    const [outcome] = await mesh.write(
      {
        set: [
          cluster("a-new"),
          cluster("z-new"),
          route("z-new"),
          rawCluster("EDS"),
          rawListener(),
          goodListener("z-good"),
        ],
        delete: [{ kind: "Cluster", name: "before" }],
      },
      "10s",
    );
    assert.equal(outcome?.state, "rejected");
    const rejections = async () =>
      (await mesh.proxies()).flatMap(({ types }) => types.flatMap((each) => each.rejections));
    await eventually(async () => (await rejections()).length === 2, "the status has both rejections");
    const reasons = new Map((await rejections()).map(({ type, name, reason }) => [`${type} ${name}`, reason]));
    assert.match(reasons.get("CDS raw-cluster") ?? "", /EDS/);
    assert.match(reasons.get("LDS raw-listener") ?? "", /no filter chains specified/);
    for (const listener of ["a-good", "z-good"]) {
      // A new listener has no port before it has its routes.
      await eventually(async () => assert.equal(await answerOf(listener), "served"), `${listener} serves`);
    }
    const gone = async () => (await envoy.stats("^cluster\\.before\\.upstream_rq_total$")).size === 0;
    await eventually(gone, "the end of the deleted cluster");

    const rejectedUpdates = async () => [...(await envoy.stats("(cds|lds)\\.update_rejected$"))];
    const before = await rejectedUpdates();
    const [untouched] = await mesh.write({ set: [cluster("later")] }, "10s");
    assert.equal(untouched?.state, "synced");
    assert.deepEqual(await rejectedUpdates(), before, "rejected versions are not sent again");
    assert.equal((await mesh.proxies())[0]?.state, "rejected");

    await mesh.apply({ set: [rawCluster("STATIC"), rawListener(echo)] });
    assert.ok(await envoy.listenerPort("raw-listener"));
    assert.equal((await mesh.proxies())[0]?.state, "synced");
  });
}
