import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { resource } from "../protocol/testing.ts";
import { resourceType } from "../resources/resource-types.ts";
import { setVersion } from "../resources/set-version.ts";
import type { Resource } from "../resources/snapshot.ts";
import { DeltaStream, SotwStream, testServer } from "./testing.ts";

const MiB = 1024 * 1024;
const clusters = 8;
const responseBytes = MiB;
const changes = 200;
const readers = 12;
/** Allowance for memory that the streams do not hold: socket buffers, compiled code. */
const slackBytes = 16 * MiB;

/** Every cluster with content of its own, so that each has a version of its own. */
function state(version: number): ReadonlyMap<string, Resource> {
  const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
  const made = names.map((name) => {
    const body = new Uint8Array(responseBytes / clusters).fill(version);
    return [name, { ...resource("CDS", name, String(version)), body }] as const;
  });
  return new Map(made);
}

/** The memory that is still reachable, after garbage collection. */
async function heldBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round += 1) {
    await setImmediate();
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test("a client that does not read costs one response, and later receives the newest state only", {
  timeout: 60_000,
}, async (t) => {
  const at = await testServer();
  t.after(() => at.server.close());
  const { typeUrl } = resourceType("CDS");
  const publish = (version: number) => {
    const set = state(version);
    at.publish({ default: { resources: new Map([[typeUrl, set]]) } });
    return setVersion(set);
  };
  publish(0);
  const reader = new DeltaStream(at.address);
  t.after(() => reader.close());
  reader.ask("CDS", { node: { id: "reads" } });
  let { nonce } = await reader.next();
  const before = await heldBytes();
  const slow: (SotwStream | DeltaStream)[] = [];
  let newest = "";
  for (let version = 1; version <= changes; version += 1) {
    if (version <= readers) {
      const stream = version % 2 === 0 ? new SotwStream(at.address) : new DeltaStream(at.address);
      t.after(() => stream.close());
      stream.pause();
      const id = `slow-${version}`;
      stream.ask("CDS", { node: { id } });
      while (at.statuses.get(id)?.streams[0]?.types[0] === undefined) await setImmediate();
      slow.push(stream);
    }
    newest = publish(version);
    reader.ask("CDS", { responseNonce: nonce });
    ({ nonce } = await reader.next());
  }
  const grown = (await heldBytes()) - before;
  // A stream that opened at another time keeps the content of that time, also framed and queued for its socket.
  const most = 4 * readers * responseBytes + slackBytes;
  assert.ok(grown < most, `holds ${Math.round(grown / MiB)} MiB for ${readers} readers after ${changes} changes`);

  for (const stream of slow) {
    stream.resume();
    const first = await stream.next();
    stream.ask("CDS", { responseNonce: first.nonce });
    const second = await stream.next();
    assert.equal("versionInfo" in second ? second.versionInfo : second.systemVersionInfo, newest);
    stream.ask("CDS", { responseNonce: second.nonce });
    stream.ask("LDS", {});
    assert.equal((await stream.next()).typeUrl, resourceType("LDS").typeUrl, "and no more clusters");
  }
  t.diagnostic(`${Math.round(grown / MiB)} MiB for ${readers} readers after ${changes} changes of a MiB`);
});
