import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { withFuel } from "@chancery/filter-sdk/fuel";
import { locate } from "@chancery/filter-sdk/locate";
import { type BuiltFilter, builtFilter } from "../harness/built-filter.ts";
import { eventually } from "../harness/eventually.ts";
import { type Listening, listen } from "../harness/listening.ts";
import { repository } from "../harness/server-process.ts";
import { type AbiEnvoy, startAbiEnvoy } from "./abi-envoy.ts";
import { startFilterEnvoy } from "./filter-envoy.ts";

// Tests every host call and callback of the library in Envoy. testdata/abi-filter makes one for each path.

const backend = http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on("end", () => {
    const late = request.trailers["x-late"] === undefined ? "" : ` late ${request.trailers["x-late"]}`;
    response.writeHead(201).end(`${request.method} ${request.url} ${body}${late}`);
  });
});
const grpc = http2.createServer();
const echo = net.createServer((socket) => {
  socket.on("data", (data) => socket.write(data));
});
let filter: BuiltFilter;
let behind: Record<"backend" | "grpc" | "echo", Listening>;
let abi: AbiEnvoy;

before(async () => {
  grpc.on("stream", answerGrpc);
  behind = { backend: await listen(backend), grpc: await listen(grpc), echo: await listen(echo) };
  filter = await builtFilter("integration/testdata/abi-filter");
  abi = await startAbiEnvoy(filter, { backend: behind.backend.port, grpc: behind.grpc.port, echo: behind.echo.port });
});

after(async () => {
  await abi?.stop();
  for (const server of Object.values(behind ?? {})) server.close();
});

for (const [path, expected] of [
  ["/vm", "started with this red ."],
  ["/cas", "0 8 2 1 true"],
  ["/enqueue", "1 0 0"],
  ["/resolve", "true"],
  ["/metrics", "2 4 2"],
  ["/headers", "x-name=first x-name=second 10 0"],
  ["/properties", "everything everything 0 -1"],
  ["/compress", "true 1000 1"],
  ["/clock", "true"],
  ["/http-call", "201 POST /hello asked"],
  [
    "/http-call-fails",
    "503 upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
  ],
  ["/http-call-unknown", "not sent: 2"],
  ["/grpc-call", "message once of filter; closed 0 "],
  ["/grpc-stream", "initial 1; message one of filter; message two of filter; trailing 1; closed 0 "],
] as const) {
  test(`the library works for ${path}`, async () => {
    const reply = await abi.request(path, { headers: { "x-name": ["first", "second"], "x-none": "skipped" } });
    assert.equal(reply.body, expected);
    assert.equal(reply.headers["x-answered"], "1");
  });
}

test("timers, queues and name resolution call back", async () => {
  await eventually(async () => assert.ok(Number((await abi.request("/kept-ticks")).body) > 2), "ticks");
  await eventually(async () => assert.equal((await abi.request("/kept-job")).body, "a job"), "the job");
  await eventually(
    async () => assert.match((await abi.request("/kept-addresses")).body, /127\.0\.0\.1|::1/),
    "addresses",
  );
});

test("bodies are read, replaced and extended, with and without trailers", async () => {
  assert.equal((await abi.request("/body", { body: "abc" })).body, "POST /body <abc>");
  assert.equal((await abi.request("/body-replace", { body: "abcd" })).body, "POST /body-replace <replaced bc of 4>");
  // This request ends with trailers: no body callback has the end, and the filter changes nothing.
  assert.equal(
    (await abi.request("/body", { body: "abc", trailers: { "x-early": "1" } })).body,
    "POST /body abc late 1",
  );
});

test("a stream is reset, and logged with its response", async () => {
  await assert.rejects(abi.request("/reset"), { code: "ECONNRESET" });
  await abi.request("/log");
  await eventually(async () => assert.match(abi.log(), /abi filter logs 200 after 200/), "the log of the stream");
});

test("a TCP filter holds data back, changes it in both directions, and sees which side closes", async () => {
  const socket = net.connect(abi.tcpPort, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += data.toString();
  });
  socket.write("half a ");
  await eventually(async () => assert.match(abi.log(), /sees a connection/), "the connection");
  socket.write("line\n");
  await eventually(async () => assert.equal(received, "[12 bytes: half a line\n]"), "the answer");
  socket.end();
  await eventually(async () => assert.match(abi.log(), /sees the server go, 0.*sees the client go, 1/s), "both ends");
});

for (const [packageName, rewritten] of [
  ["@solo-io/proxy-runtime", { "@solo-io/proxy-runtime": "@chancery/filter-sdk" }],
  ["@gcoredev/proxy-wasm-sdk-as", { "@gcoredev/proxy-wasm-sdk-as/assembly": "@chancery/filter-sdk" }],
] as const) {
  test(`the example of ${packageName} runs after a change of its imports`, async (t) => {
    const readme = await readFile(join(repository, `node_modules/${packageName}/README.md`), "utf8");
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
    let source = example;
    for (const [from, to] of Object.entries(rewritten)) source = source.replaceAll(from, to);
    assert.notEqual(source, example);
    const directory = await mkdtemp(join(tmpdir(), "chancery-example-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    await mkdir(join(directory, "assembly"));
    await writeFile(join(directory, "package.json"), '{"name": "add_header"}');
    await writeFile(join(directory, "assembly", "index.ts"), source);
    const built = await builtFilter(directory);
    const running = await startFilterEnvoy(built, ["", "a configuration"]);
    t.after(() => running.stop());
    assert.equal((await running.request("/")).headers["hello"], '""');
    assert.equal((await running.request("/", { listener: 1 })).headers["hello"], '"a configuration"');
  });
}

test("a trap in Envoy is located by filter, version, file and line; an endless loop traps too", async (t) => {
  const built = await builtFilter("integration/testdata/trap-filter");
  const fuelled = withFuel(built.wasm, { map: built.map });
  const directory = await mkdtemp(join(tmpdir(), "chancery-trap-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const wasmPath = join(directory, "trap.wasm");
  await writeFile(wasmPath, fuelled.wasm);
  for (const [path, cause, line] of [
    ["/index", "unreachable", 20],
    ["/divide", "divide by zero", 21],
    ["/endless", "out of fuel", 24],
    ["/endless-calls", "out of fuel", 28],
  ] as const) {
    const { request, envoy, stop } = await startFilterEnvoy({ ...built, wasmPath }, [{}]);
    try {
      assert.equal((await request("/good")).status, 200);
      const start = performance.now();
      assert.equal((await request(path)).status, 503);
      const took = performance.now() - start;
      assert.ok(took < 1000, `${path} held the worker for ${took} ms`);
      t.diagnostic(`${path} was stopped after ${took.toFixed(1)} ms`);
      await eventually(async () => {
        const trap = locate(fuelled.wasm, fuelled.map ?? "", envoy.recentLog().join("\n"));
        assert.ok(trap?.at);
        assert.deepEqual(
          { ...trap.at, filter: trap.filter, version: trap.version, cause: trap.cause, column: 0 },
          { file: "assembly/index.ts", line, filter: "trap", version: "1.2.3", cause, column: 0 },
        );
      }, `the trap of ${path}`);
    } finally {
      await stop();
    }
  }
});

/** Answers each message with its text and the caller's name from the header x-from. */
function answerGrpc(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  let unread: Buffer = Buffer.alloc(0);
  stream.respond({ ":status": 200, "content-type": "application/grpc", "x-echo": "1" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-bye": "1" }));
  stream.on("data", (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 5 && unread.length >= 5 + unread.readUInt32BE(1)) {
      const size = unread.readUInt32BE(1);
      const message = Buffer.from(`${unread.subarray(5, 5 + size).toString()} of ${headers["x-from"]}`);
      const frame = Buffer.alloc(5);
      frame.writeUInt32BE(message.length, 1);
      stream.write(Buffer.concat([frame, message]));
      unread = unread.subarray(5 + size);
    }
  });
  stream.on("end", () => stream.end());
}
