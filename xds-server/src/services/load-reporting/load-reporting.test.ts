import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { LoadStatsRequestSchema, LoadStatsResponseSchema } from "xds-proto-ts/envoy/service/load_stats/v3/lrs";
import { TestStream, testServer } from "../testing.ts";
import { loadReportingPath } from "./load-reporting.ts";

type Report = MessageInitShape<typeof LoadStatsRequestSchema>;

class LoadStream extends TestStream<MessageInitShape<typeof LoadStatsResponseSchema>> {
  constructor(address: string) {
    super(address, loadReportingPath, (bytes) => fromBinary(LoadStatsResponseSchema, bytes));
  }

  report(report: Report): void {
    this.send(toBinary(LoadStatsRequestSchema, create(LoadStatsRequestSchema, report)));
  }
}

const node = { id: "edge-1" };
const address = {
  address: { case: "socketAddress", value: { address: "::1", portSpecifier: { case: "portValue", value: 80 } } },
} as const;
const cart: Report["clusterStats"] = [
  {
    clusterName: "cart",
    loadReportInterval: { seconds: 10n },
    totalDroppedRequests: 2n,
    upstreamLocalityStats: [
      {
        locality: { region: "eu", zone: "a" },
        priority: 1,
        totalIssuedRequests: 20n,
        totalSuccessfulRequests: 17n,
        totalErrorRequests: 2n,
        totalRequestsInProgress: 1n,
        cpuUtilization: { numRequestsFinishedWithMetric: 4n, totalMetricValue: 2 },
        upstreamEndpointStats: [
          {
            address,
            totalIssuedRequests: 20n,
            totalSuccessfulRequests: 17n,
            totalErrorRequests: 2n,
            totalRequestsInProgress: 1n,
            loadMetricStats: [{ metricName: "queue", numRequestsFinishedWithMetric: 3n, totalMetricValue: 1.5 }],
          },
        ],
      },
    ],
  },
];

test("requests reports on all clusters and endpoints, keeps them, and forgets them when the proxy disconnects", {
  timeout: 20_000,
}, async (t) => {
  const { server, loads, address: at } = await testServer({ limits: { loadReportIntervalMs: 2_500 } });
  t.after(() => server.close());
  const stream = new LoadStream(at);
  stream.report({ node });
  const response = await stream.next();
  assert.deepEqual([response.sendAllClusters, response.reportEndpointGranularity, response.clusters], [true, true, []]);
  assert.equal(response.loadReportingInterval && durationMs(response.loadReportingInterval as never), 2_500);
  assert.equal(loads.proxy("edge-1"), undefined);

  stream.report({ node, clusterStats: cart });
  await until(() => loads.proxy("edge-1") !== undefined);
  const counts = { issued: 20, succeeded: 17, failed: 2, inProgress: 1, perSecond: 2 };
  const metrics = [{ name: "cpu_utilization", count: 4, total: 2 }];
  const endpoint = { address: "[::1]:80", ...counts, metrics: [{ name: "queue", count: 3, total: 1.5 }] };
  const locality = { region: "eu", zone: "a", subZone: "", priority: 1, ...counts, metrics, endpoints: [endpoint] };
  assert.deepEqual(loads.clusters({ detail: "endpoint" }), [
    { cluster: "cart", proxies: 1, ...counts, dropped: 2, localities: [locality] },
  ]);

  stream.close();
  await until(() => loads.proxy("edge-1") === undefined);
});

test("ends a stream without a node, with an overlong name or with undecodable bytes, and keeps nothing of it", {
  timeout: 20_000,
}, async (t) => {
  const { server, loads, address: at } = await testServer({ limits: { maxNameLength: 10 } });
  t.after(() => server.close());
  const faults: readonly ((stream: LoadStream) => void)[] = [
    (stream) => stream.report({ clusterStats: cart }),
    (stream) => stream.report({ node: { id: "" } }),
    (stream) => stream.report({ node: { id: "x".repeat(11) } }),
    (stream) => stream.report({ node, clusterStats: [{ clusterName: "x".repeat(11) }] }),
    (stream) => stream.send(Buffer.from([0x12, 0x05, 1])),
    (stream) => stream.send(Buffer.from([0x0a, 0x02, 0xff, 0xff])),
  ];
  for (const fault of faults) {
    const stream = new LoadStream(at);
    fault(stream);
    assert.equal((await stream.ended).code, status.INVALID_ARGUMENT, fault.toString());
  }
  assert.deepEqual(loads.clusters({ detail: "cluster" }), []);
});

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !condition(); ) {
    assert.ok(Date.now() < deadline, "not within 5 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
