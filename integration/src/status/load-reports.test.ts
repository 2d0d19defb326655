import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../harness/eventually.ts";
import { TestMesh } from "../harness/test-mesh.ts";

interface LoadList {
  readonly items: readonly {
    readonly cluster: string;
    readonly proxies: number;
    readonly issued: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly localities: readonly {
      readonly endpoints: readonly { readonly address: string; readonly issued: number }[];
    }[];
  }[];
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: the requests that an Envoy sends are counted by cluster and endpoint, until it disconnects`, async () => {
    await using mesh = await TestMesh.start(["--limit", "loadReportIntervalMs=200"]);
    const good = await mesh.serviceNamed("ok");
    const bad = await mesh.service((_request, response) => response.writeHead(500).end("bad"));
    const cluster = (name: string, port: number) =>
      ({ kind: "Cluster", name, spec: { endpoints: [{ address: "127.0.0.1", port }] } }) as const;
    const route = (prefix: string, name: string) => ({ match: { prefix }, cluster: name });
    await mesh.apply({
      set: [
        cluster("good", good),
        cluster("bad", bad),
        { kind: "Route", name: "all", spec: { hosts: ["*"], routes: [route("/bad", "bad"), route("/", "good")] } },
        { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["all"] } } },
      ],
    });
    const envoy = await mesh.envoy({ variant, loadReports: true });
    const url = `http://127.0.0.1:${await envoy.listenerPort("edge")}`;
    const load = async (query: string) => (await mesh.read<LoadList>(`/api/v1/load?${query}`)).items;
    const sentTo = async (name: string) => (await load(`cluster=${name}`))[0]?.issued ?? 0;
    // Envoy counts requests only after the first response on its load reporting stream.
    await eventually(
      async () => (await mesh.read<ProxyList>("/api/v1/proxies")).items.some(({ load }) => load),
      "the first report",
    );

    for (let sent = 0; sent < 30; sent++) await (await fetch(url)).text();
    for (let sent = 0; sent < 10; sent++) await (await fetch(`${url}/bad`)).text();
    await eventually(
      async () => (await sentTo("good")) >= 30 && (await sentTo("bad")) >= 10,
      "all requests are reported",
    );
    const shown = (await load("detail=endpoint")).filter(({ cluster: name }) => ["good", "bad"].includes(name));
    assert.deepEqual(
      shown.map(({ cluster: name, proxies, issued, succeeded, failed, localities }) => ({
        name,
        counts: [proxies, issued, succeeded, failed],
        endpoints: localities.flatMap(({ endpoints }) => endpoints.map((each) => [each.address, each.issued])),
      })),
      [
        { name: "bad", counts: [1, 10, 0, 10], endpoints: [[`127.0.0.1:${bad}`, 10]] },
        { name: "good", counts: [1, 30, 30, 0], endpoints: [[`127.0.0.1:${good}`, 30]] },
      ],
    );
    const [proxy] = (await mesh.read<ProxyList>("/api/v1/proxies")).items;
    assert.ok((proxy?.load?.issued ?? 0) >= 40);

    await envoy.stop();
    await eventually(async () => (await load("")).length === 0, "the load of a proxy that has disconnected is dropped");
  });
}

interface ProxyList {
  readonly items: readonly { readonly load?: { readonly issued: number } }[];
}
