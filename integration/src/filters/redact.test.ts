import assert from "node:assert/strict";
import type http from "node:http";
import { type TestContext, test } from "node:test";
import { builtFilter } from "../harness/built-filter.ts";
import { startFilterEnvoy } from "./filter-envoy.ts";

const configuration = {
  rules: [
    { name: "open", match: { path: "/open" }, maxBytes: 100, onTooLarge: "pass", fields: [{ path: "a" }] },
    {
      name: "all",
      maxBytes: 500_000,
      fields: [{ path: "**.password" }, { path: "card.number", keepLast: 4 }, { path: "users[*].email", as: "null" }],
    },
  ],
};

interface Answer {
  readonly status?: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: readonly (string | Buffer)[];
  readonly trailers?: Record<string, string>;
}

const json = { "content-type": "application/json" };

test("redact masks the body of a response, in whatever pieces it arrives", async (t) => {
  const answers: Record<string, Answer> = {
    "/cards": {
      headers: { ...json, etag: '"1"' },
      body: ['{"card":{"num', 'ber":"40001234', '12341234"},"users":[{"email":"a@b"}', "]}"],
    },
    "/same": { headers: { ...json, etag: '"1"', "content-length": 7 }, body: ['{"a":1}'] },
    "/trailers": {
      headers: { ...json, trailer: "x-end, digest" },
      body: ['{"password":1}'],
      trailers: { "x-end": "1", digest: "d" },
    },
    "/large": { headers: json, body: [`[${'{"password":"secret","é":1.0},'.repeat(10_000)}0]`] },
    "/text": { headers: { "content-type": "text/plain" }, body: ['{"password":1}'] },
  };
  const { request, envoy, received } = await started(t, answers);
  const cards = await request("/cards", { headers: { "accept-encoding": "gzip", range: "bytes=0-3" } });
  assert.equal(cards.body, '{"card":{"number":"***1234"},"users":[{"email":null}]}');
  assert.equal(cards.headers.etag, undefined);
  assert.equal(received.at(-1)?.["accept-encoding"], "identity");
  assert.equal(received.at(-1)?.["range"], undefined);
  const same = await request("/same");
  assert.deepEqual([same.body, same.headers.etag, same.headers["content-length"]], ['{"a":1}', '"1"', "7"]);
  assert.equal((await request("/trailers")).body, '{"password":"***"}');
  const large = await request("/large");
  assert.equal(large.body, `[${'{"password":"***","é":1.0},'.repeat(10_000)}0]`);
  assert.equal((await request("/text")).body, '{"password":1}');
  const counted = await envoy.stats("redact");
  assert.equal(counted.get("wasmcustom.redact.masked;rule=all"), 10_003);
});

test("redact sets the length of a body that it has changed, and removes it from a response to HEAD", async (t) => {
  const body = '{"password":"secret"}';
  const { request } = await started(t, {
    "/": { headers: { ...json, "content-length": body.length, etag: '"1"' }, body: [body] },
  });
  const got = await request("/");
  assert.deepEqual([got.body, got.headers["content-length"]], ['{"password":"***"}', "18"]);
  const head = await request("/", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.headers.etag], [200, undefined, undefined]);
});

test("redact answers 502 when it cannot mask a response, and sends nothing of it", async (t) => {
  const { request, envoy } = await started(t, {
    "/malformed": { headers: json, body: ['{"password":"secret"', ",}"] },
    "/gzip": { headers: { ...json, "content-encoding": "gzip" }, body: ["\u001f"] },
    "/partial": { status: 206, headers: json, body: ['"secret"'] },
    "/declared": { headers: { ...json, "content-length": 500_001 }, body: [" ".repeat(500_001)] },
    "/trailers": { headers: { ...json, trailer: "x-end" }, body: ['{"password":"secret"'], trailers: { "x-end": "1" } },
    "/streamed": { headers: json, body: Array.from({ length: 6 }, () => " ".repeat(100_000)) },
  });
  const reasons = {
    malformed: "malformed",
    gzip: "content-encoding",
    partial: "partial",
    declared: "too-large",
    trailers: "malformed",
    streamed: "too-large",
  };
  for (const [path, reason] of Object.entries(reasons)) {
    const reply = await request(`/${path}`);
    assert.equal(reply.status, 502, path);
    assert.equal(reply.headers["x-redact-reason"], reason, path);
    assert.equal(reply.body, `the answer cannot be redacted: ${reason}\n`);
  }
  const counted = await envoy.stats("redact");
  assert.equal(counted.get("wasmcustom.redact.denied;rule=all;reason=too-large"), 2);
});

test("redact passes bodies that are too large where a rule says so; Envoy answers 500 beyond its own buffer", async (t) => {
  const body = [`{"a":"${"x".repeat(90)}`, `${"y".repeat(90)}"}`];
  const huge = [" ".repeat(30_000), " ".repeat(30_000)];
  const { request } = await started(
    t,
    { "/open": { headers: json, body }, "/huge": { headers: json, body: huge } },
    16_384,
  );
  assert.equal((await request("/open")).body, body.join(""));
  assert.equal((await request("/huge")).status, 500);
});

/** `received` has the headers of the requests to upstream. */
async function started(t: TestContext, answers: Readonly<Record<string, Answer>>, bufferLimit?: number) {
  const received: http.IncomingHttpHeaders[] = [];
  const running = await startFilterEnvoy(await builtFilter("filters/redact"), [configuration], {
    holdsHeaders: true,
    ...(bufferLimit !== undefined && { bufferLimit }),
    upstream: async ({ url = "", headers }, response) => {
      received.push(headers);
      const answer = answers[url] ?? {};
      response.on("error", () => {});
      response.writeHead(answer.status ?? 200, answer.headers);
      for (const piece of answer.body ?? [])
        await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      if (answer.trailers) response.addTrailers(answer.trailers);
      response.end();
    },
  });
  t.after(() => running.stop());
  return { ...running, received };
}
