import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sharedMessage } from "./call.ts";
import { Deframer, MessageRoom } from "./deframer.ts";
import { CallFault } from "./status.ts";

const maxMessageBytes = 5_000;
const deframer = (room = new MessageRoom(100_000)) => new Deframer({ maxMessageBytes, room });

function messagesIn(deframer: Deframer, pieces: readonly Buffer[]): Buffer[] {
  const messages: Buffer[] = [];
  for (const piece of pieces) {
    deframer.feed(piece);
    for (let message = deframer.next(); message !== undefined; message = deframer.next()) {
      messages.push(Buffer.from(message.bytes));
      deframer.letGo();
    }
  }
  return messages;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [0, ...at.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

test("messages come out whole wherever their bytes are cut, and all room is given back", () => {
  const message = fc.uint8Array({ maxLength: maxMessageBytes });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(30_000), { maxLength: 30 }), (messages, cuts) => {
      const wire = Buffer.concat(messages.map((bytes) => sharedMessage("test", [bytes]).framed));
      const room = new MessageRoom(maxMessageBytes);
      const at = deframer(room);
      const got = messagesIn(at, cut(wire, cuts));
      assert.deepEqual(
        got.map(String),
        messages.map((bytes) => String(Buffer.from(bytes))),
      );
      assert.ok(at.isBetweenMessages);
      assert.ok(room.take(maxMessageBytes), "room was kept");
    }),
  );
});

test("one byte at a time costs as much as there are bytes", () => {
  const bytes = Buffer.alloc(4_000, 7);
  const { framed } = sharedMessage("test", [bytes]);
  const at = deframer();
  const got = messagesIn(at, cut(framed, [...framed.keys()]));
  assert.equal(got.length, 1);
  assert.ok(got[0]?.equals(bytes));
});

test("a length is not believed far beyond the bytes that come", () => {
  const room = new MessageRoom(100_000);
  const at = new Deframer({ maxMessageBytes: 1_000_000, room });
  const { framed } = sharedMessage("test", [Buffer.alloc(1_000_000)]);
  at.feed(framed.subarray(0, 105));
  assert.equal(at.next(), undefined);
  assert.equal(room.take(64 * 1024), undefined);
  at.clear();
  assert.ok(room.take(64 * 1024));
});

test("room that was given back is used again, and what was gathered moves along when it grows", () => {
  const room = new MessageRoom(200_000);
  const first = room.take(20_000) ?? assert.fail();
  room.giveBack(first);
  const again = room.take(60_000) ?? assert.fail();
  assert.equal(again, first);
  again.write("begun");
  assert.equal(room.take(100_000, again)?.toString("utf8", 0, 5), "begun");
  assert.ok(room.take(100_000), "the smaller one is given back");
});

test("over its share of the memory a message is rejected", () => {
  const at = deframer(new MessageRoom(3_000));
  const { framed } = sharedMessage("test", [Buffer.alloc(4_000)]);
  assert.throws(() => messagesIn(at, cut(framed, [1_000])), faultWith("RESOURCE_EXHAUSTED"));
});

test("too large a message is rejected by its length, and an unknown flag by itself", () => {
  const { framed } = sharedMessage("test", [Buffer.alloc(maxMessageBytes + 1)]);
  assert.throws(() => messagesIn(deframer(), [framed.subarray(0, 5)]), faultWith("RESOURCE_EXHAUSTED"));
  assert.throws(() => messagesIn(deframer(), [Buffer.from([2, 0, 0, 0, 0])]), faultWith("INTERNAL"));
});

const faultWith = (code: string) => (error: unknown) => error instanceof CallFault && error.code === code;
