import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FilterRejected, type Host, loadFilter, type UpstreamResponse } from "@chancery/filter-testing";
import fc from "fast-check";

const wasm = new URL("../build/redact.wasm", import.meta.url);

const rules = [
  {
    name: "lenient",
    match: { path: "/lenient" },
    maxBytes: 20,
    onTooLarge: "pass",
    onMalformed: "pass",
    fields: [{ path: "a" }],
  },
  { name: "none", match: { path: "/none" }, maxBytes: 1000, contentTypes: ["text/x"], fields: [{ path: "a" }] },
  {
    name: "shop",
    maxBytes: 1000,
    fields: [
      { path: "card.number", keepLast: 4 },
      { path: "users[*].email" },
      { path: "users[*].key", as: "null" },
      { path: "**.password" },
      { path: '"a.b".*' },
      { path: "tags[*]" },
      { path: "deep.**.x[*].y" },
    ],
  },
];

const json = { "content-type": "application/json" };

const bodies: readonly [what: string, body: string, masked: string][] = [
  ["a member of a member", '{"card":{"number":"4242-4242","owner":"x"}}', '{"card":{"number":"***4242","owner":"x"}}'],
  ["a number", '{"card":{"number":42424242}}', '{"card":{"number":"***4242"}}'],
  ["a short value keeps nothing", '{"card":{"number":"4242424"}}', '{"card":{"number":"***"}}'],
  ["a whole object", '{"card":{"number":{"a":[1,"}"]}},"b":1}', '{"card":{"number":"***"},"b":1}'],
  ["true, false and null too", '{"password":true,"x":{"password":null}}', '{"password":"***","x":{"password":"***"}}'],
  [
    "every element",
    '{"users":[{"email":"a@b"},{"email":7,"key":"k"},3]}',
    '{"users":[{"email":"***"},{"email":"***","key":null},3]}',
  ],
  [
    "elements of a list, not members of an object",
    '{"users":{"0":{"email":"a"},"email":"b"}}',
    '{"users":{"0":{"email":"a"},"email":"b"}}',
  ],
  ["at any depth", '[{"password":1,"a":[[{"password":"p"}]]}]', '[{"password":"***","a":[[{"password":"***"}]]}]'],
  [
    "no value at another path",
    '{"passwords":"p","Password":"p","x":"password"}',
    '{"passwords":"p","Password":"p","x":"password"}',
  ],
  [
    "an escaped name",
    '{"pass\\u0077ord":"p","\\u0063ard":{"n\\u0075mber":1}}',
    '{"pass\\u0077ord":"***","\\u0063ard":{"n\\u0075mber":"***"}}',
  ],
  ["a name twice", '{"password":1,"password":2}', '{"password":"***","password":"***"}'],
  [
    "a name with a dot, and any member",
    '{"a.b":{"x":1,"y":[2]},"a":{"b":{"x":1}}}',
    '{"a.b":{"x":"***","y":"***"},"a":{"b":{"x":1}}}',
  ],
  ["elements themselves", '{"tags":[1,[2],"x"]}', '{"tags":["***","***","***"]}'],
  [
    "any depth, or none, in between",
    '{"deep":{"x":[{"y":1}],"a":[{"x":[{"y":2},{"z":3}]}]}}',
    '{"deep":{"x":[{"y":"***"}],"a":[{"x":[{"y":"***"},{"z":3}]}]}}',
  ],
  ["nothing inside a masked value", '{"password":{"password":1}}', '{"password":"***"}'],
  [
    "all other bytes stay",
    ' {\n\t"é" : 1.50e+1 ,"password" :\r\n"p" , "\\u00e9":"\\/" }\n',
    ' {\n\t"é" : 1.50e+1 ,"password" :\r\n"***" , "\\u00e9":"\\/" }\n',
  ],
  [
    "characters, not bytes, stay",
    '{"card":{"number":"éééé\\u00e9é😀\\ud83d\\ude00"}}',
    '{"card":{"number":"***\\u00e9é😀\\ud83d\\ude00"}}',
  ],
  [
    "an escape stays whole",
    '{"card":{"number":"aaaa\\"\\\\\\n\\ud800"}}',
    '{"card":{"number":"***\\"\\\\\\n\\ud800"}}',
  ],
  ["a text that is one value", '"password"', '"password"'],
  ["an empty list", "[]", "[]"],
];

for (const [what, body, masked] of bodies) {
  test(`masks: ${what}`, async () => {
    using host = await loaded();
    for (const pieces of [[body], Array.from(Buffer.from(body), (byte) => Buffer.of(byte))]) {
      const headers = { ...json, "content-length": String(Buffer.byteLength(body)), etag: '"1"', "x-kept": "1" };
      const { status, ...reply } = await answered(host, { headers, body: pieces });
      assert.equal(status, 200, reply.body);
      assert.equal(reply.body, masked);
      assert.equal(reply.headers.get("content-length"), String(Buffer.byteLength(masked)));
      assert.equal(reply.headers.get("etag"), body === masked ? '"1"' : undefined);
      assert.equal(reply.headers.get("x-kept"), "1");
    }
  });
}

const secret = '{"password":"p"}';
const others: readonly [what: string, upstream: UpstreamResponse, status: number, body: string, reason?: string][] = [
  ["another type", { headers: { "content-type": "text/plain" }, body: secret }, 200, secret],
  [
    "a stream of events",
    { headers: { "content-type": "text/event-stream" }, body: `data: ${secret}\n\n` },
    200,
    `data: ${secret}\n\n`,
  ],
  [
    "a type with +json",
    { headers: { "content-type": "application/problem+json;x=1" }, body: secret },
    200,
    '{"password":"***"}',
  ],
  ["no type", { body: secret }, 200, '{"password":"***"}'],
  ["no type, and a body that is not JSON", { body: "hello" }, 502, "", "malformed"],
  ["an error's answer", { status: 500, headers: json, body: secret }, 500, '{"password":"***"}'],
  ["cut off", { headers: json, body: '{"password":"p"' }, 502, "", "malformed"],
  ["text after the JSON", { headers: json, body: `${secret}x` }, 502, "", "malformed"],
  ["a byte order mark", { headers: json, body: `\ufeff${secret}` }, 502, "", "malformed"],
  ["UTF-16", { headers: json, body: Buffer.from(secret, "utf16le") }, 502, "", "malformed"],
  [
    "still compressed",
    { headers: { ...json, "content-encoding": "gzip" }, body: "\u001f" },
    502,
    "",
    "content-encoding",
  ],
  ["a part", { status: 206, headers: json, body: '"p"' }, 502, "", "partial"],
  [
    "parts",
    { status: 206, headers: { "content-type": "multipart/byteranges; boundary=x" }, body: "--x" },
    502,
    "",
    "partial",
  ],
  ["a part of a picture", { status: 206, headers: { "content-type": "image/png" }, body: "x" }, 206, "x"],
  ["a length that is too large", { headers: { ...json, "content-length": "1001" }, body: "1" }, 502, "", "too-large"],
  ["an answer above the maximum size", { headers: json, body: `${" ".repeat(999)}10` }, 502, "", "too-large"],
  ["an answer of the maximum size", { headers: json, body: `${" ".repeat(999)}1` }, 200, `${" ".repeat(999)}1`],
  ["too deep", { headers: json, body: "[".repeat(129) }, 502, "", "malformed"],
  ["no content", { status: 204, headers: json }, 204, ""],
  ["not modified", { status: 304, headers: { etag: '"1"' } }, 304, ""],
];

for (const [what, upstream, status, body, reason] of others) {
  test(`${what}: ${status}${reason === undefined ? "" : `, ${reason}`}`, async () => {
    using host = await loaded();
    const reply = await answered(host, upstream);
    assert.equal(reply.status, status);
    assert.equal(reply.headers.get("x-redact-reason"), reason);
    assert.equal(reply.body, reason === undefined ? body : `the answer cannot be redacted: ${reason}\n`);
    if (reason !== undefined) assert.equal(reply.details, `redact_denied{shop,${reason}}`);
    assert.equal(reply.headers.get("etag"), status === 304 ? '"1"' : undefined);
  });
}

test("a rule can let answers pass that are too large or not JSON", async () => {
  using host = await loaded();
  const long = `{"a":"${"x".repeat(30)}"}`;
  for (const body of [long, "{", '{"a":1}}']) {
    assert.equal((await answered(host, { headers: json, body }, "/lenient")).body, body);
  }
  const declared = { ...json, "content-length": String(long.length) };
  assert.equal((await answered(host, { headers: declared, body: long }, "/lenient")).body, long);
  assert.equal((await answered(host, { headers: json, body: '{"a":1}' }, "/lenient")).body, '{"a":"***"}');
  assert.deepEqual(host.metrics, {
    "redact.passed;rule=lenient;reason=too-large": 2,
    "redact.passed;rule=lenient;reason=malformed": 2,
    "redact.answers;rule=lenient": 1,
    "redact.masked;rule=lenient": 1,
  });
});

test("requests whole and uncompressed answers from upstream when a rule matches", async () => {
  using host = await loaded([{ ...rules[0], name: "some", match: { pathPrefix: "/some" } }]);
  const headers = { "accept-encoding": "gzip, br", range: "bytes=0-1", "if-range": '"1"', accept: "a/b" };
  const asked = async (path: string) => (await host.request({ path, headers })).upstream?.headers;
  const some = await asked("/something");
  assert.deepEqual(
    ["accept-encoding", "range", "if-range", "accept"].map((name) => some?.get(name)),
    ["identity", undefined, undefined, "a/b"],
  );
  assert.equal((await asked("/other"))?.get("range"), "bytes=0-1");
  assert.equal((await host.request({ path: "/some" })).upstream?.headers.get("accept-encoding"), undefined);
});

test("the answer to HEAD does not describe the bytes of the unmasked answer", async () => {
  using host = await loaded();
  const upstream = () => ({ headers: { ...json, "content-length": "16", etag: '"1"', "x-kept": "1" } });
  const { headers } = await host.request({ method: "HEAD", upstream });
  assert.deepEqual(
    [headers.get("content-length"), headers.get("etag"), headers.get("x-kept")],
    [undefined, undefined, "1"],
  );
});

test("removes headers and trailers that describe the unmasked answer", async () => {
  using host = await loaded();
  const digests = { "content-digest": "sha-256=:a:", "repr-digest": "sha-256=:b:", digest: "c", "content-md5": "d" };
  const trailers = { ...digests, "x-end": "1" };
  const changed = await answered(host, { headers: { ...json, ...digests }, body: secret, trailers });
  for (const name of Object.keys(digests)) assert.equal(changed.headers.get(name), undefined, name);
  assert.equal(changed.body, '{"password":"***"}');
  assert.deepEqual(changed.trailers.toObject(), { "x-end": "1" });
  const same = await answered(host, { headers: { ...json, ...digests }, body: "{}", trailers });
  assert.equal(same.headers.get("repr-digest"), "sha-256=:b:");
  assert.deepEqual(same.trailers.toObject(), trailers);
  const bad = await answered(host, { headers: json, body: "{", trailers });
  assert.equal(bad.status, 502);
});

test("counts masked values and denied answers by rule", async () => {
  using host = await loaded();
  await answered(host, { headers: json, body: '{"password":1,"tags":[1,2]}' });
  await answered(host, { headers: json, body: "{}" });
  await answered(host, { headers: json, body: "{" });
  await answered(host, { headers: { "content-type": "text/plain" }, body: "{" });
  assert.deepEqual(host.metrics, {
    "redact.answers;rule=shop": 2,
    "redact.masked;rule=shop": 3,
    "redact.denied;rule=shop;reason=malformed": 1,
  });
});

/** The expected answer, from a walk over the value. The names contain no escapes here. */
function masked(value: unknown, path: readonly string[] = []): unknown {
  const last = path.at(-1);
  if (last === "password" || path.join(".") === "card.number") return "***";
  if (path.length === 2 && path[0] === "tags" && path[1] === "[]") return "***";
  if (Array.isArray(value)) return value.map((each) => masked(each, [...path, "[]"]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, masked(each, [...path, name])]));
}

const value = fc.letrec((tie) => ({
  scalar: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  list: fc.array(tie("any"), { maxLength: 4 }),
  object: fc.dictionary(fc.constantFrom("password", "card", "number", "tags", "x"), tie("any"), { maxKeys: 5 }),
  any: fc.oneof({ depthSize: "small" }, tie("scalar"), tie("list"), tie("object")),
})).any;

test("masks random answers in random pieces like a walk over their value", async () => {
  const fields = [{ path: "**.password" }, { path: "card.number" }, { path: "tags[*]" }];
  using host = await loaded([{ name: "all", maxBytes: 100_000, fields }]);
  await fc.assert(
    fc.asyncProperty(
      value,
      fc.constantFrom(undefined, 1),
      fc.integer({ min: 1, max: 50 }),
      async (given, space, size) => {
        const bytes = Buffer.from(JSON.stringify(given, undefined, space));
        const body = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        const reply = await answered(host, { headers: json, body });
        assert.equal(reply.body, JSON.stringify(masked(given), undefined, space));
      },
    ),
    { numRuns: 1000 },
  );
});

test("rejects a configuration with faults, and reports every fault with its path", async () => {
  const paths = ["a..b", ".a", "a.", "", "a.**", "a[0]", "a*", '"a', "[*]a"];
  const fields = [...paths.map((path) => ({ path })), { path: "a", as: "null", keepLast: 1 }];
  await assert.rejects(loaded([{ name: "x", maxBytes: 0, fields, onTooLarge: "maybe" }]), (error) => {
    assert.ok(error instanceof FilterRejected);
    const log = error.log.map(({ message }) => message.replace("redact rejects its configuration: ", ""));
    for (const index of paths.keys()) {
      assert.ok(
        log.some((fault) => fault.startsWith(`rules[0].fields[${index}].path: should be a path`)),
        `${paths[index]}\n${log.join("\n")}`,
      );
    }
    assert.ok(log.includes('rules[0].fields[9].keepLast: null keeps no characters; leave out "as"'), log.join("\n"));
    assert.ok(log.includes("rules[0].maxBytes: should be a whole number from 1 to 4194304, is 0"), log.join("\n"));
    assert.ok(log.includes('rules[0].onTooLarge: should be one of deny, pass, is "maybe"'), log.join("\n"));
    return true;
  });
});

test("the shipped configuration is valid", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loadFilter(wasm, { config, allowOnHeadersStopIteration: true });
  const body = '{"order":{"card":{"number":"4000123412341234"}},"users":[{"email":"a@b"}]}';
  const reply = await answered(host, { headers: json, body });
  assert.equal(reply.body, '{"order":{"card":{"number":"***1234"}},"users":[{"email":null}]}');
});

function loaded(given: readonly unknown[] = rules): Promise<Host> {
  return loadFilter(wasm, { config: { rules: given }, allowOnHeadersStopIteration: true });
}

function answered(host: Host, response: UpstreamResponse, path = "/") {
  return host.request({ path, upstream: () => response });
}
