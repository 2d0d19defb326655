import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterReport, LoadCounts } from "./load-report.ts";
import { type CountedLoad, LoadReports } from "./load-reports.ts";

const quiet: LoadCounts = { issued: 0, succeeded: 0, failed: 0, inProgress: 0 };

/** A report on one cluster for 10 s, with these requests for each endpoint. */
function clusterReport(cluster: string, endpoints: Readonly<Record<string, Partial<LoadCounts>>>): ClusterReport {
  const each = Object.entries(endpoints).map(([address, counts]) => ({
    address,
    counts: { ...quiet, ...counts },
    metrics: [{ name: "queue", count: 1, total: 2.5 }],
  }));
  const sumOf = (key: keyof LoadCounts) => each.reduce((sum, { counts }) => sum + counts[key], 0);
  const counts = {
    issued: sumOf("issued"),
    succeeded: sumOf("succeeded"),
    failed: sumOf("failed"),
    inProgress: sumOf("inProgress"),
  };
  const locality = { region: "eu", zone: "a", subZone: "", priority: 0 };
  return {
    cluster,
    intervalMs: 10_000,
    dropped: 0,
    localities: [{ ...locality, counts, metrics: [], endpoints: each }],
  };
}

function testReports({ maxPlaces = 100, maxPlacesPerProxy = 100, idleMs = 60_000 } = {}) {
  let now = 1_000;
  const counted: CountedLoad[] = [];
  const limits = { maxPlaces, maxPlacesPerProxy, idleMs };
  const reports = new LoadReports({ ...limits, now: () => now, counted: (load) => counted.push(load) });
  return { reports, counted, pass: (ms: number) => (now += ms) };
}

test("adds up all reports of all proxies by cluster, locality and endpoint, with the rate of the last interval", () => {
  const { reports } = testReports();
  const one = reports.opened("edge-1");
  one.report([clusterReport("cart", { "10.0.0.1:80": { issued: 100, succeeded: 90, failed: 10, inProgress: 3 } })]);
  one.report([clusterReport("cart", { "10.0.0.1:80": { issued: 20, succeeded: 20, inProgress: 1 } })]);
  const two = reports.opened("edge-2");
  two.report([clusterReport("cart", { "10.0.0.2:80": { issued: 10, succeeded: 8, inProgress: 2 } })]);
  const [cart] = reports.clusters({ detail: "endpoint" });
  const all = { issued: 130, succeeded: 118, failed: 10, inProgress: 3, perSecond: 3 };
  const queue = (count: number) => [{ name: "queue", count, total: 2.5 * count }];
  assert.deepEqual(cart, {
    cluster: "cart",
    proxies: 2,
    ...all,
    dropped: 0,
    localities: [
      {
        region: "eu",
        zone: "a",
        subZone: "",
        priority: 0,
        ...all,
        endpoints: [
          {
            address: "10.0.0.1:80",
            issued: 120,
            succeeded: 110,
            failed: 10,
            inProgress: 1,
            perSecond: 2,
            metrics: queue(2),
          },
          {
            address: "10.0.0.2:80",
            issued: 10,
            succeeded: 8,
            failed: 0,
            inProgress: 2,
            perSecond: 1,
            metrics: queue(1),
          },
        ],
      },
    ],
  });
});

test("filters by proxy and cluster, and leaves out endpoints or localities", () => {
  const { reports } = testReports();
  reports
    .opened("edge-1")
    .report([clusterReport("cart", { a: { issued: 1 } }), clusterReport("pay", { b: { issued: 2 } })]);
  reports.opened("edge-2").report([clusterReport("cart", { a: { issued: 4 } })]);
  const shown = (query: Parameters<LoadReports["clusters"]>[0]) =>
    reports.clusters(query).map(({ cluster, issued, localities }) => ({
      cluster,
      issued,
      inside: localities.map(({ endpoints }) => endpoints.length),
    }));
  assert.deepEqual(shown({ detail: "cluster" }), [
    { cluster: "cart", issued: 5, inside: [] },
    { cluster: "pay", issued: 2, inside: [] },
  ]);
  assert.deepEqual(shown({ nodeId: "edge-1", cluster: "cart", detail: "locality" }), [
    { cluster: "cart", issued: 1, inside: [0] },
  ]);
  assert.deepEqual(shown({ nodeId: "edge-3", detail: "endpoint" }), []);
});

test("a place that a report leaves out has no load, and is forgotten after the idle time", () => {
  const { reports, pass } = testReports({ idleMs: 15_000 });
  const edge = reports.opened("edge-1");
  edge.report([
    clusterReport("cart", { a: { issued: 10, inProgress: 1 } }),
    clusterReport("pay", { b: { issued: 1 } }),
  ]);
  pass(10_000);
  edge.report([clusterReport("pay", { b: { issued: 1 } })]);
  const [cart] = reports.clusters({ cluster: "cart", detail: "endpoint" });
  assert.deepEqual([cart?.issued, cart?.inProgress, cart?.perSecond], [10, 0, 0]);
  assert.equal(cart?.localities[0]?.endpoints[0]?.inProgress, 0);
  pass(10_000);
  edge.report([clusterReport("pay", { c: { issued: 1 } })]);
  assert.deepEqual(
    reports
      .clusters({ detail: "endpoint" })
      .map(({ cluster, localities }) => [
        cluster,
        localities.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)),
      ]),
    [["pay", ["b", "c"]]],
  );
});

test("a proxy is forgotten when it disconnects, and its reports no longer count", () => {
  const { reports, counted } = testReports();
  const first = reports.opened("edge-1");
  first.report([clusterReport("cart", { a: { issued: 10, succeeded: 7, failed: 3 } })]);
  assert.deepEqual(reports.proxy("edge-1"), {
    clusters: 1,
    issued: 10,
    succeeded: 7,
    failed: 3,
    inProgress: 0,
    perSecond: 1,
    dropped: 0,
    reportedAt: 1_000,
  });
  first.close();
  first.close();
  assert.equal(reports.proxy("edge-1"), undefined);
  assert.deepEqual(reports.clusters({ detail: "cluster" }), []);
  assert.deepEqual(counted, [{ cluster: "cart", dropped: 0, succeeded: 7, failed: 3 }]);
});

test("keeps no more places than the limit, counts the omitted ones, and accepts new ones after a proxy disconnects", () => {
  const { reports } = testReports({ maxPlaces: 4 });
  const places = () =>
    reports
      .clusters({ detail: "endpoint" })
      .flatMap(({ cluster, localities }) => [
        cluster,
        ...localities.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)),
      ]);
  const greedy = reports.opened("greedy");
  greedy.report([clusterReport("cart", { a: { issued: 1 }, b: { issued: 1 }, c: { issued: 1 } })]);
  assert.deepEqual(places(), ["cart", "a", "b"]);
  assert.equal(reports.omitted, 1);
  // An endpoint that is not kept still counts in its cluster.
  assert.equal(reports.clusters({ detail: "cluster" })[0]?.issued, 3);
  const other = reports.opened("other");
  other.report([clusterReport("pay", { d: { issued: 1 } })]);
  assert.deepEqual(places(), ["cart", "a", "b"]);
  greedy.close();
  other.report([clusterReport("pay", { d: { issued: 1 } })]);
  assert.deepEqual(places(), ["pay", "d"]);
});

test("one proxy cannot use up the places of the others", () => {
  const { reports } = testReports({ maxPlacesPerProxy: 3 });
  reports.opened("greedy").report([clusterReport("cart", { a: { issued: 1 }, b: { issued: 1 } })]);
  reports.opened("modest").report([clusterReport("pay", { c: { issued: 1 } })]);
  const endpoints = reports
    .clusters({ detail: "endpoint" })
    .map(({ localities }) => localities.flatMap((locality) => locality.endpoints.map(({ address }) => address)));
  assert.deepEqual(endpoints, [["a"], ["c"]]);
});

test("keeps at most 32 metrics of one endpoint", () => {
  const { reports } = testReports();
  const metrics = Array.from({ length: 100 }, (_, index) => ({ name: `metric-${index}`, count: 1, total: 1 }));
  const [locality] = clusterReport("cart", { a: { issued: 1 } }).localities;
  assert.ok(locality);
  const endpoints = locality.endpoints.map((endpoint) => ({ ...endpoint, metrics }));
  const cluster = { cluster: "cart", intervalMs: 0, dropped: 5, localities: [{ ...locality, endpoints }] };
  reports.opened("edge-1").report([cluster]);
  const [cart] = reports.clusters({ detail: "endpoint" });
  assert.equal(cart?.localities[0]?.endpoints[0]?.metrics?.length, 32);
  assert.deepEqual([cart?.dropped, cart?.perSecond], [5, 0]);
});
