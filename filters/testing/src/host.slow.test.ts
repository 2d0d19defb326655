import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type FilterOptions, type Host, loadFilter, type Reply, type Request } from "./index.ts";
import { buildProbe, decodeReport, encodeScript, type Recorded, type Script } from "./probe.ts";

let probe: Uint8Array;
before(async () => {
  probe = await buildProbe();
});

const requestHeaders = 0;
const responseHeaders = 2;
const requestBody = 0;
const responseBody = 1;

test("callbacks come in Envoy's order", async () => {
  const { records } = await played(
    {},
    { body: ["a", "b"], trailers: { "x-end": "1" }, upstream: () => ({ body: "c" }) },
  );
  assert.deepEqual(
    records.map(({ callback, values }) => `${callback} ${values.join(" ")}`),
    [
      "requestHeaders 6 0",
      "requestBody 1 0",
      "requestBody 1 0",
      "requestTrailers 1 0",
      "responseHeaders 1 0",
      "responseBody 1 0",
      "responseBody 0 1",
      "log 0 0",
      "done 0 0",
      "delete 0 0",
    ],
  );
});

test("over HTTP/2, the end arrives together with the last data", async () => {
  const { records } = await played({}, { body: ["a", "b"] }, { protocol: "HTTP/2" });
  const bodies = records.filter(({ callback }) => callback === "requestBody");
  assert.deepEqual(
    bodies.map(({ values }) => values),
    [
      [1, 0],
      [1, 1],
    ],
  );
});

test("a filter's changes to headers arrive upstream, in Envoy's order and case", async () => {
  const { reply } = await played({
    requestHeaders: [
      [
        ["addHeader", requestHeaders, "X-New", "1"],
        ["addHeader", requestHeaders, "x-new", "2"],
        ["addHeader", requestHeaders, "user-agent", "me"],
        ["addHeader", requestHeaders, "User-Agent", "you"],
        ["replaceHeader", requestHeaders, ":path", "/other"],
        ["removeHeader", requestHeaders, "x-script"],
      ],
    ],
  });
  assert.deepEqual(
    [...(reply.upstream?.headers ?? [])],
    [
      [":authority", "localhost"],
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/other"],
      ["x-forwarded-proto", "http"],
      ["x-new", "1"],
      ["x-new", "2"],
      ["user-agent", "me,you"],
    ],
  );
});

test("headers can be read and changed only while their callback runs or holds them", async () => {
  const { outcomes } = await played(
    {
      requestHeaders: [
        [
          ["getHeader", requestHeaders, "x-none"],
          ["addHeader", responseHeaders, "x", "y"],
        ],
      ],
      requestBody: [
        [
          ["getHeader", requestHeaders, ":path"],
          ["getHeadersSize", requestHeaders],
        ],
      ],
      log: [
        [
          ["getHeader", requestHeaders, ":path"],
          ["addHeader", requestHeaders, "x", "y"],
          ["getHeader", 3, "x"],
        ],
      ],
    },
    { body: "a" },
  );
  assert.deepEqual(outcomes("requestHeaders"), ["1 untouched", "2"]);
  assert.deepEqual(outcomes("requestBody"), ["2 untouched", "2 untouched"]);
  assert.deepEqual(outcomes("log"), ["0 bytes 2f", "2", "1 untouched"]);
});

test("a filter that buffers sees the whole body, and its changes are sent on", async () => {
  const { reply, records } = await played(
    {
      requestBody: [
        [["answer", 1]],
        [["answer", 1]],
        [
          ["getBuffer", requestBody, 0, 100],
          ["setBuffer", requestBody, 0, 3, "<"],
          ["setBuffer", requestBody, 100, 0, ">"],
          ["setBuffer", requestBody, 1, 1, "no"],
        ],
      ],
    },
    { body: ["abc", "def"] },
  );
  const bodies = records.filter(({ callback }) => callback === "requestBody");
  assert.deepEqual(
    bodies.map(({ values }) => values),
    [
      [3, 0],
      [6, 0],
      [6, 1],
    ],
  );
  assert.deepEqual(bodies[2]?.outcomes, [`0 bytes ${Buffer.from("abcdef").toString("hex")}`, "0", "0", "2"]);
  assert.equal(reply.upstream?.body, "<def>");
});

test("a local response passes through the filter's response callbacks, and nothing arrives upstream", async () => {
  const { reply, records } = await played({
    requestHeaders: [[["localResponse", 418, "no tea", "short", [["x-pot", "1"]], -1]]],
    responseHeaders: [
      [
        ["addHeader", responseHeaders, "x-seen", "yes"],
        ["replaceHeader", responseHeaders, "content-length", "15"],
      ],
    ],
    responseBody: [[["setBuffer", responseBody, 1000, 0, " and stout"]]],
  });
  assert.equal(reply.status, 418);
  assert.equal(reply.details, "no_tea");
  assert.equal(reply.body, "short and stout");
  assert.equal(reply.headers.get("x-seen"), "yes");
  assert.equal(reply.headers.get("content-type"), "text/plain");
  assert.equal(reply.upstream, undefined);
  assert.deepEqual(records[0]?.outcomes, ["0"]);
});

test("a request that the filter holds waits for the call's answer", async () => {
  const host = await loadFilter(probe);
  const exchange = host.open(
    scripted(1, {
      requestHeaders: [
        [
          ["httpCall", "auth", callHeaders, "who?", [], 500],
          ["answer", 1],
        ],
      ],
      httpCallResponse: [
        [
          ["getHeader", 6, ":status"],
          ["getBuffer", 4, 0, 10],
          ["continueStream", 0],
        ],
      ],
    }),
  );
  assert.equal(exchange.state, "the filter holds the request");
  assert.throws(() => exchange.reply, /the filter holds the request/);
  const [call] = host.httpCalls;
  assert.equal(call?.cluster, "auth");
  assert.equal(call?.body, "who?");
  call?.answer({ status: 204, body: "you" });
  host.settle();
  assert.equal(exchange.reply.status, 200);
  const records = await recordsOf(host, 1);
  assert.deepEqual(outcomesOf(records, "httpCallResponse"), ["0 bytes 323034", "0 bytes 796f75", "0"]);
  host.close();
});

test("a call without an answer times out when the clock reaches its timeout", async () => {
  const host = await loadFilter(probe);
  const call = ["httpCall", "auth", callHeaders, "", [], 500] as const;
  const exchange = host.open(
    scripted(1, {
      requestHeaders: [[call, ["answer", 1]]],
      httpCallResponse: [
        [
          ["getHeader", 6, ":status"],
          ["localResponse", 503, "", "", [], -1],
        ],
      ],
    }),
  );
  host.advance(499);
  assert.equal(exchange.done, false);
  host.advance(1);
  assert.equal(exchange.reply.status, 503);
  assert.deepEqual(outcomesOf(await recordsOf(host, 1), "httpCallResponse"), ["0 bytes 353034", "0"]);
  host.close();
});

test("a request without an answer throws an error that says what it waits for", async () => {
  const host = await loadFilter(probe, { strict: false });
  await assert.rejects(
    host.request(scripted(1, { responseHeaders: [[["answer", 1]]] })),
    /the filter holds the response/,
  );
  host.close();
  assert.match(host.faults.join("\n"), /a request to \/ has no answer/);
});

test("in strict mode, close reports everything that the filter left open", async () => {
  const host = await loadFilter(probe);
  host.open(
    scripted(1, {
      requestHeaders: [
        [
          ["httpCall", "auth", callHeaders, "", [], 0],
          ["answer", 1],
        ],
      ],
    }),
  );
  assert.throws(() => host.close(), /has no answer.*\n.*HTTP call to auth has no answer/);
});

test("shared data are written only by a VM that has read the newest value", async () => {
  const { outcomes } = await played({
    requestHeaders: [
      [
        ["getShared", "k"],
        ["setShared", "k", "1", "any"],
        ["getShared", "k"],
        ["setShared", "k", "2", "kept"],
        ["setShared", "k", "3", "kept"],
        ["getShared", "k"],
      ],
    ],
  });
  assert.deepEqual(outcomes("requestHeaders"), ["1 untouched", "0", "0 bytes 31", "0", "8", "0 bytes 32"]);
});

test("metrics behave as in Envoy", async () => {
  const host = await loadFilter(probe);
  const define = (type: number, name: string) => ["defineMetric", type, name] as const;
  const script: Script = {
    requestHeaders: [
      [define(0, "c"), ["incrementMetric", 2], ["incrementMetric", -1], ["recordMetric", 3], ["getMetric"]],
    ],
    responseHeaders: [[define(1, "g"), ["recordMetric", 5], ["incrementMetric", -2], ["getMetric"]]],
    log: [[define(2, "h"), ["recordMetric", 7], ["incrementMetric", 1], ["getMetric"], define(3, "x")]],
  };
  await host.request(scripted(1, script));
  const records = await recordsOf(host, 1);
  assert.deepEqual(outcomesOf(records, "requestHeaders"), ["0", "0", "2", "0", "0 word 5"]);
  assert.deepEqual(outcomesOf(records, "responseHeaders"), ["0", "0", "0", "0 word 3"]);
  assert.deepEqual(outcomesOf(records, "log"), ["0", "0", "2", "2 untouched", "2"]);
  assert.deepEqual(host.metrics, { c: 5, g: 3 });
  assert.deepEqual(host.histogram("h"), [7]);
  host.close();
});

test("a call without the capability returns InternalFailure", async () => {
  const allowed = [
    "proxy_on_context_create",
    "proxy_on_request_headers",
    "proxy_on_log",
    "proxy_on_done",
    "proxy_on_delete",
  ];
  const calls = ["proxy_get_header_map_value", "proxy_send_local_response", "proxy_log"];
  const host = await loadFilter(probe, { capabilities: [...allowed, ...calls], strict: false });
  await host.request(scripted(1, { requestHeaders: [[["addHeader", 0, "x", "y"]]] }));
  const records = await recordsOf(host, 1);
  assert.deepEqual(outcomesOf(records, "requestHeaders"), ["10"]);
  assert.ok(!records.some(({ callback }) => callback === "responseHeaders"));
  assert.deepEqual(host.faults, ["proxy_add_header_map_value was called without the capability"]);
});

const callHeaders = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "auth"],
] as const;

function scripted(id: number, script: Script, request: Request = {}): Request {
  return { ...request, headers: { "x-script": encodeScript(id, script) } };
}

async function recordsOf(host: Host, id: number): Promise<readonly Recorded[]> {
  const { bodyBytes } = await host.request({ headers: { "x-report": "1" } });
  return decodeReport(bodyBytes).get(id) ?? [];
}

function outcomesOf(records: readonly Recorded[], callback: string): readonly string[] {
  return records.filter((recorded) => recorded.callback === callback).flatMap(({ outcomes }) => outcomes);
}

interface Played {
  readonly reply: Reply;
  readonly records: readonly Recorded[];
  outcomes(callback: string): readonly string[];
}

/** A request with a script for the probe. */
async function played(script: Script, request: Request = {}, options: FilterOptions = {}): Promise<Played> {
  const host = await loadFilter(probe, options);
  const reply = await host.request(scripted(1, script, request));
  const records = await recordsOf(host, 1);
  host.close();
  return { reply, records, outcomes: (callback) => outcomesOf(records, callback) };
}
