import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Node } from "../model/node.ts";
import { NodeStatus } from "./node-status.ts";

/** The size of each proxy's metadata. */
const metadataBytes = 100_000;
const note = randomBytes(metadataBytes / 2).toString("hex");

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

test("keeps the status of a disconnected proxy, and the node of one that reconnects", () => {
  const statuses = new NodeStatus({ maxGone: 10, now: () => 7 });
  const closed = opened(statuses, "edge-1");
  closed();
  const gone = { nodeId: "edge-1", cluster: "edge", nodeGroup: "default", version: "1.40.0", streams: [], since: 7 };
  assert.deepEqual(statuses.get("edge-1"), gone);
  assert.deepEqual(statuses.connected(), []);
  opened(statuses, "edge-1");
  assert.deepEqual(statuses.connected(), [node("edge-1")]);
});

test("keeps little of disconnected proxies, even if their metadata is large", () => {
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
  assert.ok(kept < (count * metadataBytes) / 10, `${kept} bytes`);
});
