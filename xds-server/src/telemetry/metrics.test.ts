import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProxyOverview } from "../proxy-status/proxy-statuses.ts";
import { createMetrics } from "./metrics.ts";

test("counts reported requests by cluster, and all clusters over the limit in one series", async () => {
  const metrics = createMetrics({ maxLoadClusters: 2 });
  for (const cluster of ["cart", "pay", "cart", "mail", "log"])
    metrics.load({ cluster, succeeded: 2, failed: 1, dropped: 0 });
  const { text } = await metrics.exposition();
  const series = text.split("\n").filter((line) => /^chancery_upstream.*succeeded/.test(line));
  assert.deepEqual(series, [
    'chancery_upstream_requests_total{cluster="cart",result="succeeded"} 4',
    'chancery_upstream_requests_total{cluster="pay",result="succeeded"} 2',
    'chancery_upstream_requests_total{cluster="",result="succeeded"} 4',
  ]);
});

test("has no metric whose collection lists every connection", async () => {
  const { text } = await createMetrics({ maxLoadClusters: 2 }).exposition();
  assert.match(text, /^process_cpu_seconds_total /m);
  assert.doesNotMatch(text, /open_fds|_active_handles|_active_resources/);
});

test("counts reported events, and reads revision and proxies at each scrape", async () => {
  const metrics = createMetrics({ maxLoadClusters: 2 });
  let revision = 3;
  const gone: ProxyOverview = { nodeId: "edge-1", nodeGroup: "default", state: "disconnected" };
  let proxies = [gone];
  metrics.read({ revision: () => revision, proxies: async () => proxies });
  metrics.pushed("CDS");
  metrics.pushed("CDS");
  metrics.nacked("LDS");
  metrics.compiled(0.002);
  metrics.streams("delta", 1);
  metrics.streams("sotw", 1);
  metrics.streams("sotw", -1);
  const { text } = await metrics.exposition();
  for (const line of [
    "chancery_revision 3",
    'chancery_pushes_total{type="CDS"} 2',
    'chancery_nacks_total{type="LDS"} 1',
    "chancery_compile_seconds_count 1",
    'chancery_streams{variant="delta"} 1',
    'chancery_streams{variant="sotw"} 0',
    'chancery_proxies{group="default",state="disconnected"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
  }
  revision = 4;
  proxies = [];
  const later = (await metrics.exposition()).text;
  assert.match(later, /^chancery_revision 4$/m);
  assert.doesNotMatch(later, /chancery_proxies\{/);
});
