import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { resourceType } from "../resources/resource-types.ts";
import type { Publication, PublishedData } from "./publication.ts";
import { PublicationSender } from "./publication-sender.ts";

const cds = resourceType("CDS").typeUrl;

function version(number: number): PublishedData {
  const resource = { typeUrl: cds, name: "a", version: `v${number}`, body: new Uint8Array(), rewarms: [] };
  return { snapshots: new Map([["one", { resources: new Map([[cds, new Map([["a", resource]])]]) }]]), nodeGroups };
}
const nodeGroups = new Map();

/** A sender, and what it has sent: the versions of the one resource. */
function telling() {
  const at = { published: undefined as PublishedData | undefined };
  const sent: string[] = [];
  const takes: (() => void)[] = [];
  const send = ({ sets }: Publication) => {
    sent.push(...sets.flatMap(({ changed }) => changed.map((resource) => resource.version)));
    return new Promise<void>((resolve) => takes.push(resolve));
  };
  const sender = new PublicationSender(() => at.published, send);
  return { at, sender, sent, take: () => takes.shift()?.() };
}

test("a worker that takes its time is told the newest when it is done, and nothing of what came in between", async () => {
  const { at, sender, sent, take } = telling();
  at.published = version(1);
  const telling1 = sender.send();
  for (const number of [2, 3, 4]) {
    at.published = version(number);
    await sender.send();
  }
  assert.deepEqual(sent, ["v1"]);
  take();
  await turn();
  assert.deepEqual(sent, ["v1", "v4"]);
  take();
  await telling1;
  await sender.send();
  assert.deepEqual(sent, ["v1", "v4"], "all is told");
});

test("what is asked of a worker is asked after the newest was sent, though the last is not taken yet", async () => {
  const { at, sender, sent, take } = telling();
  at.published = version(1);
  const all = sender.send();
  at.published = version(2);
  const now = sender.sendNow();
  assert.deepEqual(sent, ["v1", "v2"]);
  take();
  take();
  await Promise.all([all, now]);
  assert.deepEqual(sent, ["v1", "v2"], "it is not told again");
});

test("nothing is told before the first publication", async () => {
  const { sender, sent } = telling();
  assert.equal(sender.next(), undefined);
  await sender.send();
  assert.deepEqual(sent, []);
});
