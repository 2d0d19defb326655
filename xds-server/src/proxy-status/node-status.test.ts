import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Node } from "../publishing/snapshot-cache.ts";
import { NodeStatus } from "./node-status.ts";

/** How much each proxy says, in bytes. */
const said = 100_000;
const note = randomBytes(said / 2).toString("hex");

const node = (id: string): Node => ({
  id,
  cluster: "edge",
  version: "1.40.0",
  metadata: { note: Buffer.from(note).toString() },
  locality: { region: "eu", zone: "eu-1", subZone: "" },
});

function opened(statuses: NodeStatus, id: string): () => void {
  return statuses.opened({
    node: node(id),
    group: () => "default",
    state: () => "synced",
    describe: () => ({ id: 1, peer: "", openedAt: 0, variant: "delta", types: [] }),
  });
}

test("of a proxy that is gone its status stays, and one that comes back is known as it says", () => {
  const statuses = new NodeStatus({ maxGone: 10, now: () => 7 });
  const closed = opened(statuses, "edge-1");
  closed();
  const gone = { nodeId: "edge-1", cluster: "edge", nodeGroup: "default", version: "1.40.0", streams: [], since: 7 };
  assert.deepEqual(statuses.get("edge-1"), gone);
  assert.deepEqual(statuses.connected(), []);
  opened(statuses, "edge-1");
  assert.deepEqual(statuses.connected(), [node("edge-1")]);
});

test("proxies that are gone cost little, however much they said", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const count = 300;
  const statuses = new NodeStatus({ maxGone: count, now: () => 0 });
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < count; at += 1) opened(statuses, `edge-${at}`)();
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  assert.equal(statuses.all().length, count);
  assert.ok(kept < (count * said) / 10, `${kept} bytes`);
});
