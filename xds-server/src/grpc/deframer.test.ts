import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sharedMessage } from "./call.ts";
import { BufferPool, Deframer } from "./deframer.ts";
import { CallFault } from "./status.ts";

const maxMessageBytes = 5_000;
const deframer = (pool = new BufferPool(100_000)) => new Deframer({ maxMessageBytes, pool });

function messagesIn(deframer: Deframer, pieces: readonly Buffer[]): Buffer[] {
  const messages: Buffer[] = [];
  for (const piece of pieces) {
    deframer.feed(piece);
    for (let message = deframer.next(); message !== undefined; message = deframer.next()) {
      messages.push(Buffer.from(message.bytes));
      deframer.release();
    }
  }
  return messages;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [0, ...at.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

test("messages are complete wherever their bytes are cut, and all buffers are given back", () => {
  const message = fc.uint8Array({ maxLength: maxMessageBytes });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(30_000), { maxLength: 30 }), (messages, cuts) => {
      const wire = Buffer.concat(messages.map((bytes) => sharedMessage("test", [bytes]).framed));
      const pool = new BufferPool(maxMessageBytes);
      const at = deframer(pool);
      const got = messagesIn(at, cut(wire, cuts));
      assert.deepEqual(
        got.map(String),
        messages.map((bytes) => String(Buffer.from(bytes))),
      );
      assert.ok(at.isBetweenMessages);
      assert.ok(pool.take(maxMessageBytes), "a buffer was not given back");
    }),
  );
});

test("a message that arrives byte by byte is complete", () => {
  const bytes = Buffer.alloc(4_000, 7);
  const { framed } = sharedMessage("test", [bytes]);
  const at = deframer();
  const got = messagesIn(at, cut(framed, [...framed.keys()]));
  assert.equal(got.length, 1);
  assert.ok(got[0]?.equals(bytes));
});

test("the buffer of a large message does not grow far beyond the received bytes", () => {
  const pool = new BufferPool(100_000);
  const at = new Deframer({ maxMessageBytes: 1_000_000, pool });
  const { framed } = sharedMessage("test", [Buffer.alloc(1_000_000)]);
  at.feed(framed.subarray(0, 105));
  assert.equal(at.next(), undefined);
  assert.equal(pool.take(64 * 1024), undefined);
  at.clear();
  assert.ok(pool.take(64 * 1024));
});

test("a buffer that was given back is used again, and a larger buffer gets the content of the former one", () => {
  const pool = new BufferPool(200_000);
  const first = pool.take(20_000) ?? assert.fail();
  pool.giveBack(first);
  const again = pool.take(60_000) ?? assert.fail();
  assert.equal(again, first);
  again.write("begun");
  assert.equal(pool.take(100_000, again)?.toString("utf8", 0, 5), "begun");
  assert.ok(pool.take(100_000), "the smaller buffer is given back");
});

test("an incomplete message over the limit of the pool is rejected", () => {
  const at = deframer(new BufferPool(3_000));
  const { framed } = sharedMessage("test", [Buffer.alloc(4_000)]);
  assert.throws(() => messagesIn(at, cut(framed, [1_000])), faultWith("RESOURCE_EXHAUSTED"));
});

test("a message is rejected as soon as its head has a too large length or an unknown flag", () => {
  const { framed } = sharedMessage("test", [Buffer.alloc(maxMessageBytes + 1)]);
  assert.throws(() => messagesIn(deframer(), [framed.subarray(0, 5)]), faultWith("RESOURCE_EXHAUSTED"));
  assert.throws(() => messagesIn(deframer(), [Buffer.from([2, 0, 0, 0, 0])]), faultWith("INTERNAL"));
});

const faultWith = (code: string) => (error: unknown) => error instanceof CallFault && error.code === code;
