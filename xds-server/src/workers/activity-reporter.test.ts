import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ActivityReporter } from "./activity-reporter.ts";
import type { ActivityReport } from "./services.ts";

function recorded() {
  const sent: ActivityReport[] = [];
  const answers: (() => void)[] = [];
  const connected = new Set<string>();
  const reporter = new ActivityReporter(
    (each) => {
      sent.push(each);
      return new Promise((resolve) => answers.push(resolve));
    },
    (nodeId) => connected.has(nodeId),
  );
  return { reporter, sent, connected, answer: () => answers.shift()?.() };
}

test("activity of one turn is one report, and activity until its answer is one more report", async () => {
  const { reporter, sent, connected, answer } = recorded();
  connected.add("edge-1");
  for (const nodeId of ["edge-1", "edge-2", "edge-1"]) reporter.changed(nodeId);
  reporter.streams("delta", 1);
  reporter.pushed("CDS");
  reporter.pushed("CDS");
  await turn();
  const [first] = sent;
  assert.deepEqual(
    [...(first?.changed ?? [])],
    [
      ["edge-1", true],
      ["edge-2", false],
    ],
  );
  assert.deepEqual([first?.pushed, first?.streams], [new Map([["CDS", 2]]), new Map([["delta", 1]])]);

  for (let at = 0; at < 1_000; at += 1) reporter.changed("edge-1");
  reporter.nacked("LDS");
  await turn();
  assert.equal(sent.length, 1, "the server has not answered the first report yet");
  answer();
  await turn();
  assert.equal(sent.length, 2);
  assert.deepEqual([...(sent[1]?.changed.keys() ?? [])], ["edge-1"]);
  assert.deepEqual(
    [sent[1]?.pushed.size, sent[1]?.nacked, sent[1]?.streams.get("delta")],
    [0, new Map([["LDS", 1]]), 1],
  );

  answer();
  await turn();
  assert.equal(sent.length, 2, "without activity there is no report");
});
