import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { type ReaderOptions, readableNodes } from "./client-status-readers.ts";

const checked: ReaderOptions = {
  nodeIdentity: "certificate",
  clientStatusReaders: ["ops", "spiffe://mesh/ops/console"],
};
const caller = (peer: string, subjectaltname?: string) => ({
  peer,
  peerCertificate: subjectaltname === undefined ? undefined : ({ subjectaltname } as PeerCertificate),
});
const readable = (call: ReturnType<typeof caller>, options = checked) => {
  const isReadable = readableNodes(call, options);
  return ["edge-1", "edge-2"].filter(isReadable);
};

test("without TLS, clients on this machine may read all proxies, and other clients none", () => {
  for (const peer of ["127.0.0.1:4000", "127.8.0.1:4000", "[::1]:4000", "[::ffff:127.0.0.1]:4000"])
    assert.deepEqual(readable(caller(peer)), ["edge-1", "edge-2"], peer);
  for (const peer of ["10.0.0.1:4000", "[::2]:4000", "[::ffff:10.0.0.1]:4000", "", "127.0.0.1.example:1"])
    assert.throws(() => readable(caller(peer)), { code: "PERMISSION_DENIED" }, peer);
});

test("over TLS, a proxy may read itself, and a reader all proxies; without node id checks, every client may read all", () => {
  const remote = "10.0.0.1:4000";
  assert.deepEqual(readable(caller(remote, "DNS:edge-1")), ["edge-1"]);
  assert.deepEqual(readable(caller("127.0.0.1:4000", "DNS:edge-1")), ["edge-1"]);
  assert.deepEqual(readable(caller(remote, "DNS:stranger")), []);
  assert.deepEqual(readable(caller(remote, "DNS:ops")), ["edge-1", "edge-2"]);
  assert.deepEqual(readable(caller(remote, "URI:spiffe://mesh/ops/console")), ["edge-1", "edge-2"]);
  assert.deepEqual(readable(caller(remote, "URI:spiffe://mesh/console")), []);
  assert.deepEqual(readable(caller(remote, "DNS:any"), { ...checked, nodeIdentity: "none" }), ["edge-1", "edge-2"]);
});
