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

/** A sender, and the versions of the one resource that it has sent. */
function recordedSender() {
  const at = { published: undefined as PublishedData | undefined };
  const sent: string[] = [];
  const received: (() => void)[] = [];
  const send = ({ sets }: Publication) => {
    sent.push(...sets.flatMap(({ changed }) => changed.map((resource) => resource.version)));
    return new Promise<void>((resolve) => received.push(resolve));
  };
  const sender = new PublicationSender(() => at.published, send);
  return { at, sender, sent, receive: () => received.shift()?.() };
}

test("a slow worker gets the newest publication next, without the ones in between", async () => {
  const { at, sender, sent, receive } = recordedSender();
  at.published = version(1);
  const sending = sender.send();
  for (const number of [2, 3, 4]) {
    at.published = version(number);
    await sender.send();
  }
  assert.deepEqual(sent, ["v1"]);
  receive();
  await turn();
  assert.deepEqual(sent, ["v1", "v4"]);
  receive();
  await sending;
  await sender.send();
  assert.deepEqual(sent, ["v1", "v4"], "the newest is already sent");
});

test("sendNow sends the newest publication, even while the worker has not answered the last one", async () => {
  const { at, sender, sent, receive } = recordedSender();
  at.published = version(1);
  const all = sender.send();
  at.published = version(2);
  const now = sender.sendNow();
  assert.deepEqual(sent, ["v1", "v2"]);
  receive();
  receive();
  await Promise.all([all, now]);
  assert.deepEqual(sent, ["v1", "v2"], "it is not sent again");
});

test("nothing is sent before the first publication", async () => {
  const { sender, sent } = recordedSender();
  assert.equal(sender.next(), undefined);
  await sender.send();
  assert.deepEqual(sent, []);
});
