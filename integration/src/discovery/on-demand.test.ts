import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const type = (name: string) => `type.googleapis.com/${name}`;
const fromAds = { ads: {}, resourceApiVersion: "V3" };
const http = "envoy.extensions.filters.http";

const resource = (name: string, spec: { readonly ttl?: string; readonly resource: object }): AnyDocument => ({
  kind: "EnvoyResource",
  name,
  spec,
});

/** A listener with the filter that fetches a virtual host when a request for it arrives. */
const listener = resource("on-demand-listener", {
  resource: {
    "@type": type("envoy.config.listener.v3.Listener"),
    name: "edge",
    address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
    filterChains: [
      {
        filters: [
          {
            name: "http",
            typedConfig: {
              "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
              statPrefix: "edge",
              rds: { routeConfigName: "shop", configSource: fromAds },
              httpFilters: [
                { name: "on-demand", typedConfig: { "@type": type(`${http}.on_demand.v3.OnDemand`) } },
                { name: "router", typedConfig: { "@type": type(`${http}.router.v3.Router`) } },
              ],
            },
          },
        ],
      },
    ],
  },
});

const routeConfiguration = resource("on-demand-routes", {
  resource: {
    "@type": type("envoy.config.route.v3.RouteConfiguration"),
    name: "shop",
    virtualHosts: [virtualHost("always", "always.example")],
    // Envoy waits for virtual hosts before it listens. An empty response does not end the wait; the timeout does.
    vhds: { configSource: { ...fromAds, initialFetchTimeout: "0.2s" } },
  },
});

function virtualHost(name: string, domain: string): object {
  const answer = { status: 200, body: { inlineString: name } };
  return { name, domains: [domain], routes: [{ match: { prefix: "/" }, directResponse: answer }] };
}

const onDemand = (name: string, domain: string): AnyDocument =>
  resource(name, {
    resource: { "@type": type("envoy.config.route.v3.VirtualHost"), ...virtualHost(`shop/${name}`, domain) },
  });

test("Envoy gets virtual hosts when requests need them, follows their changes, and learns at once that one does not exist", async () => {
  await using mesh = await TestMesh.start();
  await mesh.apply({ set: [listener, routeConfiguration, onDemand("cart", "cart.example")] });
  const envoy = await mesh.envoy({ variant: "delta" });
  const port = await envoy.listenerPort("edge");
  const ask = async (host: string): Promise<string | number | undefined> => {
    const [answer] = (await once(get({ port, host: "127.0.0.1", headers: { host } }), "response")) as [IncomingMessage];
    return answer.statusCode === 200 ? text(answer) : answer.resume().statusCode;
  };
  assert.equal(await ask("always.example"), "always");
  assert.equal(await ask("cart.example"), "shop/cart");
  const startedAt = Date.now();
  assert.equal(await ask("ghost.example"), 404);
  assert.ok(Date.now() - startedAt < 5000, "Envoy waited for a host that does not exist");
  await mesh.apply({ set: [onDemand("catalog", "ghost.example")] });
  await eventually(async () => assert.equal(await ask("ghost.example"), "shop/catalog"), "the new host is served");
  await mesh.apply({ delete: [{ kind: "EnvoyResource", name: "cart" }] });
  await eventually(async () => assert.equal(await ask("cart.example"), 404), "the deleted host is gone");
  assert.equal(await ask("always.example"), "always");
});

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: a resource outlives its time to live while the server runs, and expires without the server`, async () => {
    await using mesh = await TestMesh.start();
    const port = await mesh.serviceNamed("served");
    const shortLived = resource("short-lived", {
      ttl: "1s",
      resource: {
        "@type": type("envoy.config.cluster.v3.Cluster"),
        name: "cart",
        connectTimeout: "1s",
        loadAssignment: {
          clusterName: "cart",
          endpoints: [
            { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue: port } } } }] },
          ],
        },
      },
    });
    await mesh.apply({
      set: [
        shortLived,
        { kind: "Route", name: "shop", spec: { hosts: ["*"], routes: [{ match: {}, cluster: "cart" }] } },
        { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["shop"] } } },
      ],
    });
    const envoy = await mesh.envoy({ variant });
    const url = `http://127.0.0.1:${await envoy.listenerPort("edge")}/`;
    const load = await mesh.load(envoy);
    const since = Date.now();
    await eventually(
      async () => Date.now() - since > 3000 && (await fetch(url)).ok,
      "three times its time to live has passed",
    );
    await load.stop();
    assert.deepEqual(load.failures, []);
    await mesh.kill();
    await eventually(async () => (await fetch(url)).status === 503, "Envoy drops the expired cluster");
  });
}
