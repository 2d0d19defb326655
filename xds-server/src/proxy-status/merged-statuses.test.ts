import assert from "node:assert/strict";
import { test } from "node:test";
import { nowhere } from "../model/node.ts";
import { mergedStatuses } from "./merged-statuses.ts";
import { localStatuses, NodeStatus } from "./node-status.ts";
import type { SyncState } from "./proxy-status.ts";

interface Connected {
  readonly openedAt: number;
  readonly nodeGroup?: string;
  readonly state?: SyncState;
}

/** A status source with one connected proxy. */
function source(nodeId: string, { openedAt, nodeGroup = "default", state = "synced" }: Connected) {
  const statuses = new NodeStatus({ maxGone: 10, now: () => openedAt });
  const node = { id: nodeId, cluster: "", metadata: {}, locality: nowhere };
  const stream = { id: openedAt, peer: "127.0.0.1:1", variant: "delta", openedAt, types: [] } as const;
  const close = statuses.opened({ node, group: () => nodeGroup, state: () => state, describe: () => stream });
  return { statuses: localStatuses(statuses), close };
}

test("a proxy that moved from one source to another is listed once, with its present status", async () => {
  const before = source("edge-1", { openedAt: 1, nodeGroup: "old" });
  const after = source("edge-1", { openedAt: 2, nodeGroup: "new" });
  const other = source("edge-0", { openedAt: 3 });
  before.close();
  for (const order of [
    [before, after, other],
    [other, after, before],
  ]) {
    const merged = mergedStatuses(() => order.map(({ statuses }) => statuses));
    assert.deepEqual(await merged.ids(), ["edge-0", "edge-1"]);
    assert.deepEqual(
      (await merged.all()).map(({ nodeId, nodeGroup, streams }) => [nodeId, nodeGroup, streams.map(({ id }) => id)]),
      [
        ["edge-0", "default", [3]],
        ["edge-1", "new", [2]],
      ],
    );
    const overviews = new Map((await merged.overviews()).map(({ nodeId, ...rest }) => [nodeId, rest]));
    assert.deepEqual(overviews.get("edge-1"), { nodeGroup: "new", state: "synced" });
    assert.equal((await merged.connected()).length, 2);
    for (const asked of [
      ["edge-1", "edge-0"],
      ["edge-0", "edge-1"],
    ])
      assert.deepEqual([...(await merged.some([...asked, "none"])).keys()], asked);
  }
});

test("a proxy with streams at two sources has the streams of both, the oldest first", async () => {
  const two = [source("edge-1", { openedAt: 5 }), source("edge-1", { openedAt: 4 })];
  const [status] = await mergedStatuses(() => two.map(({ statuses }) => statuses)).all();
  assert.deepEqual([status?.streams.map(({ id }) => id), status?.since], [[4, 5], 5]);
});

test("a proxy with streams at two sources is rejected in the overview when it is rejected at either", async () => {
  const two = [source("edge-1", { openedAt: 1, state: "rejected" }), source("edge-1", { openedAt: 2 })];
  for (const order of [two, two.toReversed()]) {
    const [overview] = await mergedStatuses(() => order.map(({ statuses }) => statuses)).overviews();
    assert.equal(overview?.state, "rejected");
  }
});

test("a proxy that is disconnected everywhere has the status of the source that it left last", async () => {
  const two = [source("edge-1", { openedAt: 5, nodeGroup: "late" }), source("edge-1", { openedAt: 4 })];
  for (const { close } of two) close();
  const merged = mergedStatuses(() => two.map(({ statuses }) => statuses));
  const [status] = await merged.all();
  assert.deepEqual([status?.streams, status?.nodeGroup], [[], "late"]);
  assert.deepEqual(await merged.connected(), []);
});
