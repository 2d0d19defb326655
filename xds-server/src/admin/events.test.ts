import assert from "node:assert/strict";
import { test } from "node:test";
import { cart, cartV2, codesOf, type TestAdmin, testAdmin } from "./testing.ts";

interface Event {
  readonly name: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a wrong shape fails the test
  readonly data: any;
}

/** Follows the events until the test ends. */
async function follow(admin: TestAdmin, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(`${admin.url}/api/v1/events`, { headers, signal: abort.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const events = parse(response.body ?? new ReadableStream());
  return {
    next: async (): Promise<Event> => (await events.next()).value as Event,
    [Symbol.dispose]: () => abort.abort(),
  };
}

async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  let text = "";
  for await (const part of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    text += part;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      yield { name: fields.get("event") ?? "", id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "null") };
    }
  }
}

test("sends the newest revision and all proxies, then each new revision and each proxy that changes", async () => {
  await using admin = await testAdmin();
  await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  const proxy = admin.connect("edge-1", () => []);
  using events = await follow(admin);
  const first = await events.next();
  assert.deepEqual([first.name, first.id, first.data.author], ["revision", "1", "admin"]);
  const known = await events.next();
  assert.deepEqual([known.name, known.data.nodeId, known.data.state], ["proxy", "edge-1", "synced"]);

  await admin.send("PUT", "/api/v1/clusters/cart-v2", { body: cartV2 });
  const second = await events.next();
  assert.deepEqual(second.data.changes, [{ kind: "Cluster", name: "cart-v2", change: "created" }]);
  proxy.close();
  assert.equal((await events.next()).data.state, "disconnected");
});

test("a client that reconnects with Last-Event-ID receives the revisions that it missed", async () => {
  await using admin = await testAdmin();
  for (const port of [1, 2, 3]) {
    await admin.send("PUT", "/api/v1/clusters/cart", {
      body: { spec: { endpoints: [{ address: "127.0.0.1", port }] } },
    });
  }
  using events = await follow(admin, { "last-event-id": "1" });
  assert.deepEqual([(await events.next()).id, (await events.next()).id], ["2", "3"]);
});

test("a client with a Last-Event-ID newer than the newest revision receives the next revisions", async () => {
  await using admin = await testAdmin();
  admin.connect("edge-1", () => []);
  using events = await follow(admin, { "last-event-id": "999" });
  assert.equal((await events.next()).name, "proxy");
  await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  assert.equal((await events.next()).id, "1");
});

test("rejects clients over the limit, and accepts one again after another has disconnected", async () => {
  await using admin = await testAdmin();
  const followers = await Promise.all(Array.from({ length: 64 }, () => follow(admin)));
  const rejected = await admin.send("GET", "/api/v1/events");
  assert.deepEqual([rejected.status, codesOf(rejected)], [429, ["EVENTS_TOO_MANY_CLIENTS"]]);
  for (const follower of followers) follower[Symbol.dispose]();
  const deadline = Date.now() + 5_000;
  for (;;) {
    const abort = new AbortController();
    const { status } = await fetch(`${admin.url}/api/v1/events`, { signal: abort.signal });
    abort.abort();
    if (status === 200) return;
    assert.ok(Date.now() < deadline, "no client is accepted again");
  }
});
