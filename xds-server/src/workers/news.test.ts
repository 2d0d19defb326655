import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { NewsDesk } from "./news.ts";
import type { News } from "./services.ts";

function desk() {
  const told: News[] = [];
  const heard: (() => void)[] = [];
  const connected = new Set<string>();
  const news = new NewsDesk(
    (each) => {
      told.push(each);
      return new Promise((resolve) => heard.push(resolve));
    },
    (nodeId) => connected.has(nodeId),
  );
  return { news, told, connected, hear: () => heard.shift()?.() };
}

test("what happens in one turn is told together, and what happens until that is heard, once after it", async () => {
  const { news, told, connected, hear } = desk();
  connected.add("edge-1");
  for (const nodeId of ["edge-1", "edge-2", "edge-1"]) news.changed(nodeId);
  news.streams("delta", 1);
  news.pushed("CDS");
  news.pushed("CDS");
  await turn();
  const [first] = told;
  assert.deepEqual(
    [...(first?.changed ?? [])],
    [
      ["edge-1", true],
      ["edge-2", false],
    ],
  );
  assert.deepEqual([first?.pushed, first?.streams], [new Map([["CDS", 2]]), new Map([["delta", 1]])]);

  for (let at = 0; at < 1_000; at += 1) news.changed("edge-1");
  news.nacked("LDS");
  await turn();
  assert.equal(told.length, 1, "the server has not heard the first yet");
  hear();
  await turn();
  assert.equal(told.length, 2);
  assert.deepEqual([...(told[1]?.changed.keys() ?? [])], ["edge-1"]);
  assert.deepEqual(
    [told[1]?.pushed.size, told[1]?.nacked, told[1]?.streams.get("delta")],
    [0, new Map([["LDS", 1]]), 1],
  );

  hear();
  await turn();
  assert.equal(told.length, 2, "nothing happened, so nothing is told");
});
