import assert from "node:assert/strict";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { type Call, type CallHandler, type Methods, sharedMessage, unary } from "./call.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { defaultTransportLimits, type TransportLimits } from "./limits.ts";
import { CallFault } from "./status.ts";

const timeout = 10_000;
const text = (value: string) => sharedMessage("answer", [Buffer.from(value)]);
const message = (value: string | Buffer) => sharedMessage("request", [Buffer.from(value)]).framed;

/** The ended calls of "/test/Echo", in the order of their ends. */
type Ended = string[];

function echo(call: Call, ended: Ended): CallHandler {
  const received: string[] = [];
  return {
    onMessage(bytes) {
      received.push(bytes.toString());
      call.send(text(bytes.toString()));
    },
    onHalfClose: () => call.end(),
    onClose: () => void ended.push(received.join("+")),
  };
}

async function serve(t: TestContext, limits: Partial<TransportLimits> = {}, more: Methods = new Map()) {
  const ended: Ended = [];
  const methods: Methods = new Map([["/test/Echo", (call) => echo(call, ended)], ...more]);
  const server = await startGrpcServer({
    listen: { host: "127.0.0.1", port: 0 },
    limits: { ...defaultTransportLimits, ...limits },
    methods,
    log: pino({ level: "silent" }),
  });
  t.after(() => server.close());
  const session = () => {
    const client = connectHttp2(`http://127.0.0.1:${server.address.port}`).on("error", () => {});
    t.after(() => client.destroy());
    return client;
  };
  return { port: server.address.port, session, ended };
}

interface Outcome {
  readonly http: number | undefined;
  /** "grpc-status grpc-message". */
  readonly status: string;
  readonly messages: readonly string[];
  /** True when the server sent only trailers. */
  readonly trailersOnly: boolean;
  readonly rstCode: number | undefined;
}

type Headers = Record<string, string | undefined>;

/** Opens a call. `outcome` resolves when the call has ended. */
function open(session: ClientHttp2Session, path: string, headers: Headers = {}) {
  const all = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers };
  const stream = session.request(all);
  let http: number | undefined;
  let status = "";
  let trailersOnly = false;
  const received: Buffer[] = [];
  const noteStatus = (from: Headers) => {
    if (from["grpc-status"] !== undefined) status = `${from["grpc-status"]} ${from["grpc-message"] ?? ""}`.trim();
  };
  stream.on("response", (from) => {
    http = from[":status"];
    trailersOnly = from["grpc-status"] !== undefined;
    noteStatus(from as Headers);
  });
  stream.on("trailers", (from) => noteStatus(from as Headers));
  stream.on("data", (bytes: Buffer) => received.push(bytes));
  stream.on("error", () => {});
  const outcome = new Promise<Outcome>((resolve) => {
    stream.on("close", () =>
      resolve({ http, status, trailersOnly, messages: split(Buffer.concat(received)), rstCode: stream.rstCode }),
    );
  });
  return { stream, outcome };
}

function split(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.toString("utf8", at + 5, end));
    at = end;
  }
  return messages;
}

/** Sends these bytes in one call and half-closes it. */
async function sendAll(session: ClientHttp2Session, bytes: Buffer, headers: Headers = {}, path = "/test/Echo") {
  const { stream, outcome } = open(session, path, headers);
  stream.end(bytes);
  return outcome;
}

test("a call's messages are answered in order, and it ends with OK", { timeout }, async (t) => {
  const at = await serve(t);
  const { status, messages, trailersOnly } = await sendAll(at.session(), Buffer.concat(["a", "", "c"].map(message)));
  assert.deepEqual({ status, messages, trailersOnly }, { status: "0", messages: ["a", "", "c"], trailersOnly: false });
  assert.deepEqual(at.ended, ["a++c"]);
});

test("a message that is sent byte by byte arrives complete", { timeout }, async (t) => {
  const at = await serve(t);
  const { stream, outcome } = open(at.session(), "/test/Echo");
  for (const byte of message("byte by byte")) {
    await new Promise<void>((resolve) => stream.write(Buffer.from([byte]), () => resolve()));
  }
  stream.end();
  assert.deepEqual((await outcome).messages, ["byte by byte"]);
});

test("a request that is not a gRPC call is rejected with an HTTP status", { timeout }, async (t) => {
  const session = (await serve(t)).session();
  assert.equal((await sendAll(session, message("a"), { "content-type": "application/json" })).http, 415);
  assert.equal((await sendAll(session, message("a"), { "content-type": "application/grpcish" })).http, 415);
  assert.equal((await sendAll(session, message("a"), { "content-type": "application/grpc+proto" })).http, 200);
  assert.equal((await sendAll(session, message("a"), { ":method": "PUT" })).http, 405);
});

test("a call of an unknown method is rejected with UNIMPLEMENTED, in trailers only, with non-ASCII characters encoded", {
  timeout,
}, async (t) => {
  const at = await serve(t);
  const { http, status, trailersOnly } = await sendAll(at.session(), message("a"), {}, "/test/N%C3%A4h");
  assert.deepEqual(
    { http, status, trailersOnly },
    { http: 200, status: '12 There is no method "/test/N%25C3%25A4h"', trailersOnly: true },
  );
});

test("a unary method accepts exactly one message", { timeout }, async (t) => {
  const double = unary((request) => text(`${request}${request}`));
  const session = (await serve(t, {}, new Map([["/test/Double", double]]))).session();
  const call = (bytes: Buffer) => sendAll(session, bytes, {}, "/test/Double");
  const { status, messages } = await call(message("ab"));
  assert.deepEqual({ status, messages }, { status: "0", messages: ["abab"] });
  assert.match((await call(Buffer.alloc(0))).status, /^3 .*got none/);
  assert.match((await call(Buffer.concat([message("a"), message("b")]))).status, /^3 .*one message only/);
});

test("gzip is decompressed; other encodings, a flag without an encoding, and zip bombs are rejected", {
  timeout,
}, async (t) => {
  const session = (await serve(t, { maxMessageBytes: 1_000 })).session();
  const zipped = (value: Buffer) => {
    const framed = message(gzipSync(value));
    framed[0] = 1;
    return framed;
  };
  const small = zipped(Buffer.from("small"));
  const gzip = { "grpc-encoding": "gzip" };
  const mixed = await sendAll(session, Buffer.concat([small, message("plain"), small]), gzip);
  assert.deepEqual(mixed.messages, ["small", "plain", "small"]);
  assert.equal(mixed.status, "0");
  assert.match((await sendAll(session, small)).status, /^13 /);
  assert.match((await sendAll(session, small, { "grpc-encoding": "br" })).status, /^12 .*gzip/);
  assert.match((await sendAll(session, zipped(Buffer.alloc(100_000)), gzip)).status, /^8 .*decompressed/);
  const garbage = message("no gzip at all");
  garbage[0] = 1;
  assert.match((await sendAll(session, garbage, gzip)).status, /^3 .*cannot be decompressed/);
});

test("a too large message is rejected in both directions, and other calls of the connection continue", {
  timeout,
}, async (t) => {
  const big = unary(() => sharedMessage("big answer", [Buffer.alloc(1_001)]));
  const session = (await serve(t, { maxMessageBytes: 1_000 }, new Map([["/test/Big", big]]))).session();
  const bystander = open(session, "/test/Echo");
  bystander.stream.write(message("before"));
  assert.match((await sendAll(session, message(Buffer.alloc(1_001)))).status, /^8 .*1001 bytes/);
  assert.match((await sendAll(session, message("a"), {}, "/test/Big")).status, /^8 The big answer has 1001 bytes/);
  bystander.stream.end(message("after"));
  assert.deepEqual((await bystander.outcome).messages, ["before", "after"]);
});

test("a call that ends within a message ends with an error", { timeout }, async (t) => {
  const at = await serve(t);
  assert.match((await sendAll(at.session(), message("whole").subarray(0, 8))).status, /^13 .*within a message/);
});

test("an exception of a method ends its call, and the client does not see the exception's message", {
  timeout,
}, async (t) => {
  const failing: Methods = new Map([
    ["/test/Fails", unary(() => assert.fail("a secret"))],
    [
      "/test/Rejects",
      () => {
        throw new CallFault("PERMISSION_DENIED", "not you: 100 % ä");
      },
    ],
  ]);
  const session = (await serve(t, {}, failing)).session();
  const failed = await sendAll(session, message("a"), {}, "/test/Fails");
  assert.match(failed.status, /^13 The server failed/);
  assert.doesNotMatch(failed.status, /secret/);
  assert.equal((await sendAll(session, message("a"), {}, "/test/Rejects")).status, "7 not you: 100 %25 %C3%A4");
});

test("a client that continues to send after the end of its call gets a reset", { timeout }, async (t) => {
  const session = (await serve(t, { maxMessageBytes: 1_000 })).session();
  const { stream, outcome } = open(session, "/test/Echo");
  stream.write(message("answered"));
  stream.write(message(Buffer.alloc(2_000)));
  const { status, messages, rstCode } = await outcome;
  assert.deepEqual(messages, ["answered"]);
  assert.match(status, /^8 /);
  assert.equal(rstCode, constants.NGHTTP2_NO_ERROR);
});

test("a method that pauses gets no message until it resumes, and then all messages in order", {
  timeout,
}, async (t) => {
  const got: string[] = [];
  let resume = (): void => {};
  const { promise: isPaused, resolve: paused } = Promise.withResolvers<void>();
  const methods: Methods = new Map([
    [
      "/test/Pauses",
      (call) => ({
        onMessage(bytes) {
          got.push(bytes.toString());
          if (got.length > 1) return;
          call.pause();
          resume = () => call.resume();
          paused();
        },
        onHalfClose: () => call.end(),
        onClose() {},
      }),
    ],
  ]);
  const at = await serve(t, {}, methods);
  const session = at.session();
  const { stream, outcome } = open(session, "/test/Pauses");
  stream.end(Buffer.concat(["1", "2", "3"].map(message)));
  await isPaused;
  await sendAll(session, message("a round trip later"));
  assert.deepEqual(got, ["1"]);
  resume();
  assert.equal((await outcome).status, "0");
  assert.deepEqual(got, ["1", "2", "3"]);
});

test("the call of a client that reads nothing is ended after the limit; other calls continue", {
  timeout,
}, async (t) => {
  const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
  const flood: Methods = new Map([
    [
      "/test/Flood",
      (call) => ({
        onMessage() {
          while (!call.isFull) call.send(sharedMessage("flood", [Buffer.alloc(100_000)]));
        },
        onDrain() {
          while (!call.isFull) call.send(sharedMessage("flood", [Buffer.alloc(100_000)]));
        },
        onHalfClose() {},
        onClose: over,
      }),
    ],
  ]);
  const at = await serve(t, { unreadTimeoutMs: 200 }, flood);
  const session = at.session();
  const { stream } = open(session, "/test/Flood");
  stream.pause();
  stream.write(message("go"));
  const bystander = open(session, "/test/Echo");
  await isOver;
  bystander.stream.end(message("still here"));
  assert.deepEqual((await bystander.outcome).messages, ["still here"]);
});

test("a connection that does not answer pings is closed; one that answers stays open", { timeout }, async (t) => {
  const at = await serve(t, { keepAliveMs: 50, keepAliveTimeoutMs: 100 });
  const alive = at.session();
  const call = open(alive, "/test/Echo");
  // Sends the HTTP/2 preface and then nothing more.
  const dead = connect(at.port, "127.0.0.1");
  t.after(() => dead.destroy());
  dead.write(
    Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
  );
  const mute = connect(at.port, "127.0.0.1");
  t.after(() => mute.destroy());
  await Promise.all([dead, mute].map((socket) => new Promise((resolve) => socket.on("close", resolve).resume())));
  call.stream.end(message("alive"));
  assert.deepEqual((await call.outcome).messages, ["alive"]);
});

test("a connection without a call is closed after the limit, with GOAWAY", { timeout }, async (t) => {
  const at = await serve(t, { keepAliveMs: 20, idleConnectionMs: 100 });
  const session = at.session();
  const goaway = new Promise<number>((resolve) => session.on("goaway", resolve));
  const closed = new Promise((resolve) => session.on("close", resolve));
  assert.equal((await sendAll(session, message("hello"))).status, "0");
  assert.equal(await goaway, constants.NGHTTP2_NO_ERROR);
  await closed;
});

test("a stream over the limit of its connection waits until another one ends", { timeout }, async (t) => {
  const at = await serve(t, { maxStreamsPerConnection: 2 });
  const session = at.session();
  assert.equal((await sendAll(session, message("so that the client gets the limit"))).status, "0");
  const [first, second, third] = ["1", "2", "3"].map((text) => {
    const call = open(session, "/test/Echo");
    call.stream.write(message(text));
    return { ...call, answered: new Promise((resolve) => call.stream.once("data", resolve)) };
  });
  await Promise.all([first?.answered, second?.answered]);
  third?.stream.end();
  second?.stream.end();
  assert.deepEqual((await third?.outcome)?.messages, ["3"]);
  assert.deepEqual(at.ended.slice(1), ["2", "3"]);
});

test("calls over the limit of all clients are rejected until another call ends", { timeout }, async (t) => {
  const at = await serve(t, { maxStreams: 1 });
  const [one, two] = [at.session(), at.session()];
  const first = open(one, "/test/Echo");
  first.stream.write(message("first"));
  await new Promise((resolve) => first.stream.once("data", resolve));
  assert.match((await sendAll(two, message("second"))).status, /^8 .*1 open streams/);
  first.stream.end();
  await first.outcome;
  assert.equal((await sendAll(two, message("third"))).status, "0");
});

test("connections over the limit are closed", { timeout }, async (t) => {
  const at = await serve(t, { maxConnections: 1 });
  const first = at.session();
  assert.equal((await sendAll(first, message("first"))).status, "0");
  const second = connect(at.port, "127.0.0.1").on("error", () => {});
  await new Promise((resolve) => second.on("close", resolve).resume());
  assert.equal((await sendAll(first, message("again"))).status, "0");
});

test("too large headers end their call, but not the connection", { timeout }, async (t) => {
  const at = await serve(t, { maxHeaderBytes: 2_000 });
  const session = at.session();
  assert.equal((await sendAll(session, message("a"))).status, "0");
  const { status, rstCode } = await sendAll(session, message("b"), { "x-large": "x".repeat(3_000) });
  assert.deepEqual({ status, rstCode }, { status: "", rstCode: constants.NGHTTP2_ENHANCE_YOUR_CALM });
  assert.equal((await sendAll(session, message("c"))).status, "0");
  assert.deepEqual(at.ended, ["a", "c"]);
});

test("the connection of a client that opens and resets very many calls is closed", { timeout }, async (t) => {
  const at = await serve(t);
  const session = at.session();
  let isClosed = false;
  session.on("close", () => {
    isClosed = true;
  });
  for (let count = 0; count < 20_000 && !isClosed; count += 1) {
    const { stream } = open(session, "/test/Echo");
    stream.close(constants.NGHTTP2_CANCEL);
    if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(isClosed);
  assert.equal((await sendAll(at.session(), message("others"))).status, "0");
});
