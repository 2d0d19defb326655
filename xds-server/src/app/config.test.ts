import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHostPort, parseHostPort } from "./config.ts";
import { parseLimit } from "./limits.ts";

test("an address is HOST:PORT, with IPv6 in brackets, and parsing then formatting gives the same text", () => {
  for (const text of ["127.0.0.1:0", "localhost:18000", "[::1]:65535"]) {
    const parsed = parseHostPort(text);
    assert.ok(parsed);
    assert.equal(formatHostPort(parsed), text);
  }
});

test("a text that is no address is rejected", () => {
  for (const text of ["", "18000", ":18000", "::1:18000", "localhost:65536", "localhost:-1", "localhost:", "[::1]"]) {
    assert.equal(parseHostPort(text), undefined, text);
  }
});

test("a limit is a known name and a whole number from 1", () => {
  assert.deepEqual(parseLimit("maxStreams=5000"), { maxStreams: 5000 });
  for (const text of [
    "maxStreams=0",
    "maxStreams=-1",
    "maxStreams=1.5",
    "maxStreams=",
    "maxStreams",
    "maxStreams=1=2",
  ]) {
    assert.match(String(parseLimit(text)), /Write maxStreams=NUMBER/, text);
  }
  for (const text of ["", "nothing=1", "toString=1", "__proto__=1"]) {
    assert.match(String(parseLimit(text)), /Known limits are maxMessageBytes, .*maxStreams/, text);
  }
});
