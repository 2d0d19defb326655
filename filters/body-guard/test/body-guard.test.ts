import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FilterRejected, type Host, loadFilter, type Request } from "@chancery/filter-testing";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";

const wasm = new URL("../build/body-guard.wasm", import.meta.url);

const order = {
  type: "object",
  required: ["items"],
  additionalProperties: false,
  properties: {
    items: {
      type: "array",
      minItems: 1,
      maxItems: 3,
      items: {
        type: "object",
        required: ["sku", "count"],
        properties: {
          sku: { type: "string", minLength: 2, maxLength: 4 },
          count: { type: "integer", minimum: 1, maximum: 9 },
          size: { enum: ["S", "é😀", 42, true, null] },
        },
      },
    },
    labels: { type: "object", additionalProperties: { type: ["string", "null"] } },
    price: { type: "number", maximum: 0.5 },
  },
};

const guard = {
  rules: [
    {
      name: "limits",
      match: { path: "/limits" },
      maxBytes: 200,
      json: { maxDepth: 3, maxMembers: 2, maxElements: 3, maxStringLength: 5 },
    },
    {
      name: "order",
      match: { pathPrefix: "/order", methods: ["POST"] },
      maxBytes: 400,
      required: true,
      json: { shape: order },
    },
    { name: "passing", match: { path: "/passing" }, maxBytes: 100, json: { encoded: "pass" } },
    { name: "trial", match: { path: "/trial" }, dryRun: true, maxBytes: 20, json: { shape: { type: "array" } } },
    { name: "image", match: { path: "/image" }, maxBytes: 8, contentTypes: ["image/*"] },
  ],
};

const json = { "content-type": "application/json" };
const gzip = { ...json, "content-encoding": "gzip" };
const good = '{"items":[{"sku":"ab","count":1}]}';

const cases: readonly [what: string, request: Request, status: number, reason?: string, answer?: string][] = [
  ["no rule matches", { path: "/other", body: "{", headers: gzip }, 200],
  ["another method", { path: "/order", method: "PUT", body: "{" }, 200],
  ["a body with the shape", { path: "/order", body: good, headers: json }, 200],
  [
    "a type with parameters",
    { path: "/order", body: good, headers: { "content-type": "Application/JSON; charset=utf-8" } },
    200,
  ],
  ["a type with +json", { path: "/order", body: good, headers: { "content-type": "application/order+json" } }, 200],
  ["space around the JSON", { path: "/order", body: ` \r\n\t${good}\n`, headers: json }, 200],
  ["trailers after the body", { path: "/order", body: good, headers: json, trailers: { "x-end": "1" } }, 200],
  [
    "a fault before trailers",
    { path: "/order", body: "[", headers: json, trailers: { "x-end": "1" } },
    400,
    "malformed",
    "at byte 1: more is expected",
  ],
  ["no content type", { path: "/order", body: good }, 415, "content-type", "this content type is not accepted"],
  ["another type", { path: "/order", body: good, headers: { "content-type": "text/plain" } }, 415, "content-type"],
  [
    "two types",
    { path: "/order", body: good, headers: { "content-type": "application/json, text/plain" } },
    415,
    "content-type",
  ],
  ["a coding", { path: "/order", body: good, headers: gzip }, 415, "content-encoding"],
  ["the coding identity", { path: "/order", body: good, headers: { ...json, "content-encoding": "identity" } }, 200],
  ["an allowed coding", { path: "/passing", body: "\u001f\u008b", headers: gzip }, 200],
  [
    "no coding where one is allowed",
    { path: "/passing", body: "x", headers: json },
    400,
    "malformed",
    "at byte 0: a value is expected",
  ],
  ["no body", { path: "/order", method: "POST" }, 400, "missing", "a body is required"],
  ["no body where none is required", { path: "/limits", method: "POST", headers: json }, 200],
  ["an empty body", { path: "/order", headers: json, body: [""], trailers: { "x-end": "1" } }, 400, "missing"],
  [
    "an empty body where none is required",
    { path: "/limits", method: "POST", headers: json, trailers: { "x-end": "1" } },
    200,
  ],
  ["GET with a body", { path: "/limits", method: "GET", headers: json, body: "[" }, 400, "malformed"],
  ["HEAD with a body", { path: "/limits", method: "HEAD", headers: json, body: "[1" }, 400, "malformed"],
  [
    "white space only",
    { path: "/limits", headers: json, body: "  " },
    400,
    "malformed",
    "at byte 2: a value is expected",
  ],
  [
    "two texts",
    { path: "/limits", headers: json, body: "1 2" },
    400,
    "malformed",
    "at byte 2: nothing more is expected",
  ],
  ["a byte order mark", { path: "/limits", headers: json, body: "\ufeff1" }, 400, "malformed"],
  [
    "half a surrogate pair",
    { path: "/limits", headers: json, body: '"\\ud800"' },
    400,
    "malformed",
    "at byte 8: half a surrogate pair is not a character",
  ],
  [
    "a length that is too large",
    { path: "/image", headers: { "content-type": "image/png", "content-length": "9" }, body: "123456789" },
    413,
    "too-large",
  ],
  [
    "a length that is too long for a number",
    { path: "/image", headers: { "content-type": "image/png", "content-length": "99999999999999999999" }, body: "1" },
    413,
    "too-large",
  ],
  [
    "a body of the maximum size",
    { path: "/image", headers: { "content-type": "image/png" }, body: ["1234", "5678"] },
    200,
  ],
  [
    "one byte more",
    { path: "/image", headers: { "content-type": "image/png" }, body: ["1234", "5678", "9"] },
    413,
    "too-large",
  ],
  ["JSON that is too large", { path: "/limits", headers: json, body: `[${" ".repeat(200)}` }, 413, "too-large"],
  [
    "JSON with a fault before it is too large",
    { path: "/limits", headers: json, body: `]${" ".repeat(200)}` },
    400,
    "malformed",
  ],
  ["depth", { path: "/limits", headers: json, body: "[[[]]]" }, 200],
  [
    "too much depth",
    { path: "/limits", headers: json, body: '{"a":[[[' },
    422,
    "limits",
    "at most 3 levels are allowed",
  ],
  [
    "too many members",
    { path: "/limits", headers: json, body: '[{"a":1,"b":2,"c":3}]' },
    422,
    "limits",
    "[0]: at most 2 members are allowed",
  ],
  [
    "too many elements",
    { path: "/limits", headers: json, body: "[1,2,3,4]" },
    422,
    "limits",
    "at most 3 elements are allowed",
  ],
  ["characters, not bytes", { path: "/limits", headers: json, body: '["éé\\u00e9😀\\n"]' }, 200],
  [
    "too many characters",
    { path: "/limits", headers: json, body: '[1,"123456"]' },
    422,
    "limits",
    "[1]: at most 5 characters in a string are allowed",
  ],
  [
    "too many characters of a name",
    { path: "/limits", headers: json, body: '{"123456":1}' },
    422,
    "limits",
    "*: at most 5 characters in a string are allowed",
  ],
  [
    "a long number",
    { path: "/limits", headers: json, body: `[${"1".repeat(101)}]` },
    422,
    "limits",
    "[0]: at most 100 characters in a number are allowed",
  ],
  [
    "a name twice",
    { path: "/limits", headers: json, body: '[{"a":1,"a":2}]' },
    422,
    "duplicate",
    "[0]: a name appears twice",
  ],
  ["a name twice, once escaped", { path: "/limits", headers: json, body: '{"a":1,"\\u0061":2}' }, 422, "duplicate"],
  ["a name in two objects", { path: "/limits", headers: json, body: '[{"a":1},{"a":{"a":1}}]' }, 200],
  ["the wrong type", { path: "/order", headers: json, body: "[]" }, 422, "shape", "should be object"],
  [
    "all faults",
    {
      path: "/order",
      headers: json,
      body: '{"items":[{"sku":"a","count":1.5},{"count":"1","size":"M"}],"x":1,"price":1e0}',
    },
    422,
    "shape",
    "items[0].sku: should have 2 characters or more\nitems[0].count: should be integer\nitems[1].count: should be integer\nitems[1].size: is not one of the values allowed\nitems[1].sku: is missing\n*: is unknown\nprice: should be 0.5 or less",
  ],
  [
    "more faults than the maximum",
    { path: "/order", headers: json, body: `{"labels":{${Array.from({ length: 20 }, (_, at) => `"${at}":0`)}},` },
    422,
    "shape",
    Array.from({ length: 8 }, () => "labels.*: should be string or null").join("\n"),
  ],
  [
    "a value of the enum",
    {
      path: "/order",
      headers: json,
      body: '{"items":[{"sku":"\\u00e9\\ud83d\\ude00","count":9.0,"size":"\\u00e9😀"},{"sku":"ab","count":1e0,"size":4.2e1},{"sku":"ab","count":1,"size":null}]}',
    },
    200,
  ],
];

for (const [what, request, status, reason, answer] of cases) {
  test(`${what}: ${status}${reason === undefined ? "" : `, ${reason}`}`, async () => {
    using host = await loaded(guard);
    const reply = await host.request(request);
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.headers.get("x-body-guard-reason"), reason);
    if (answer !== undefined) assert.equal(reply.body, `${answer}\n`);
    if (reason === undefined) assert.equal(reply.upstream?.body, [request.body ?? ""].flat().join(""));
  });
}

test("nothing of a rejected JSON request reaches upstream, not even the headers", async () => {
  using host = await loaded(guard);
  const exchange = host.start({ path: "/order", method: "POST", headers: json }).send('{"items":').send("[");
  assert.equal(exchange.upstream, undefined);
  exchange.send("}");
  assert.equal(exchange.reply.status, 400);
  assert.equal(exchange.upstream, undefined);
});

test("streams a body that need not be JSON", async () => {
  using host = await loaded(guard);
  const exchange = host
    .start({ path: "/image", method: "POST", headers: { "content-type": "image/png" } })
    .send("1234");
  assert.equal(exchange.upstream?.body, "1234");
  exchange.send("56789");
  assert.equal(exchange.reply.status, 413);
});

test("does not hold more of a body than the maximum", async () => {
  using host = await loaded(guard, { bufferLimit: 400 });
  const exchange = host
    .start({ path: "/order", method: "POST", headers: json })
    .send(`${good}${" ".repeat(400 - good.length)}`);
  assert.equal(exchange.done, false);
  exchange.send(" ");
  assert.equal(exchange.reply.headers.get("x-body-guard-reason"), undefined, "the proxy's own limit comes first");
  assert.equal(exchange.reply.status, 413);
});

test("a dry run only counts, and holds nothing", async () => {
  using host = await loaded(guard);
  const exchange = host.start({ path: "/trial", method: "POST", headers: json }).send('{"a"');
  assert.equal(exchange.upstream?.body, '{"a"');
  assert.equal(exchange.send(":1}").end().reply.status, 200);
  for (const body of ["[", "[]", " ".repeat(30)])
    assert.equal((await host.request({ path: "/trial", headers: json, body })).status, 200);
  assert.equal((await host.request({ path: "/trial", body: "[]" })).status, 200);
  assert.deepEqual(host.metrics, {
    "body_guard.would_reject;rule=trial;reason=shape": 1,
    "body_guard.would_reject;rule=trial;reason=malformed": 1,
    "body_guard.would_reject;rule=trial;reason=too-large": 1,
    "body_guard.would_reject;rule=trial;reason=content-type": 1,
    "body_guard.passed;rule=trial": 1,
  });
});

test("counts passed and rejected requests, and writes rejections to the access log", async () => {
  using host = await loaded(guard);
  const rejected = await host.request({ path: "/order", body: "{", headers: json });
  await host.request({ path: "/order", body: good, headers: json });
  await host.request({ path: "/limits" });
  assert.equal(rejected.details, "body_guard_rejected{order,malformed}");
  assert.deepEqual(host.metrics, {
    "body_guard.rejected;rule=order;reason=malformed": 1,
    "body_guard.passed;rule=order": 1,
    "body_guard.passed;rule=limits": 1,
  });
});

test("a rejection in JSON lists the faults, and quotes names as they are configured", async () => {
  using host = await loaded({
    body: "json",
    rules: [{ name: "a", maxBytes: 50, json: { shape: { properties: { '"\\\n': { type: "null" } } } } }],
  });
  const reply = await host.request({ headers: json, body: '{"\\"\\\\\\n":1}' });
  assert.equal(reply.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(reply.body), {
    error: "body rejected",
    reason: "shape",
    faults: ['"\\\n: should be null'],
  });
});

const texts = fc.oneof(
  fc.constantFrom(...cases.flatMap(([, { body }]) => (typeof body === "string" ? [body] : []))),
  fc.json({ maxDepth: 4 }),
);

test("the result does not depend on the pieces of a body", async () => {
  using host = await loaded(guard);
  const verdict = async (path: string, body: readonly Uint8Array[]) => {
    const { status, body: answer } = await host.request({ path, method: "POST", headers: json, body });
    return `${status} ${answer}`;
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("/limits", "/order", "/trial"),
      texts,
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }),
      async (path, text, sizes) => {
        const bytes = Buffer.from(text);
        const whole = await verdict(path, [bytes]);
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.equal(
          await verdict(
            path,
            [...pieces, bytes.subarray(at)].filter(({ length }) => length > 0),
          ),
          whole,
        );
        assert.equal(
          await verdict(
            path,
            Array.from(bytes, (byte) => Buffer.of(byte)),
          ),
          whole,
        );
      },
    ),
    { numRuns: 300 },
  );
});

/** Random documents, most of them with the shape. */
const mostly = (good: readonly unknown[], bad: readonly unknown[]) =>
  fc.oneof({ weight: 15, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });
const item = fc.record(
  {
    sku: mostly(["ab", "é😀", "😀😀😀😀"], ["a", "abcde", 1]),
    count: mostly([1, 9, 2.0], [0, 10, 1.5, "1"]),
    size: mostly(["S", 42, true, null], ["M", 43, false, [], {}]),
  },
  { requiredKeys: ["sku", "count"] },
);
const listed = fc.oneof({ weight: 15, arbitrary: item }, { weight: 1, arbitrary: fc.constantFrom({}, 1, null) });
const document = fc.record(
  {
    items: fc.oneof(
      { weight: 15, arbitrary: fc.array(listed, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>([], [1, 2, 3, 4], {}, "x", undefined) },
    ),
    labels: fc.oneof(
      { weight: 15, arbitrary: fc.dictionary(fc.constantFrom("a", "b", "items"), mostly(["x", null], [1])) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>([], null) },
    ),
    price: mostly([0.5, -1e300], [0.51, "0"]),
    more: mostly([undefined], [1]),
  },
  { requiredKeys: ["items"] },
);

test("a shape accepts the same random documents as Ajv", async () => {
  const validate = new Ajv2020({ strict: false }).compile(order);
  using host = await loaded({ rules: [{ name: "order", maxBytes: 10_000, json: { shape: order } }] });
  const verdicts = { true: 0, false: 0 };
  await fc.assert(
    fc.asyncProperty(document, async (value) => {
      const body = JSON.stringify(value);
      const reply = await host.request({ body, headers: json });
      const isGood = validate(JSON.parse(body));
      verdicts[`${isGood}`]++;
      assert.equal(reply.status, isGood ? 200 : 422, `${body}: ${reply.body}`);
    }),
    { numRuns: 2000 },
  );
  assert.ok(verdicts.true > 100 && verdicts.false > 100, JSON.stringify(verdicts));
});

test("rejects a configuration with faults, and reports every fault with its path", async () => {
  const shape = {
    type: "text",
    pattern: "x",
    properties: { a: { enum: [[]], minLength: -1 } },
    required: ["b"],
    items: 1,
  };
  const bad = {
    rules: [
      { name: "a b", json: { shape, maxDepth: 0 } },
      { name: "x", contentTypes: ["json"] },
    ],
  };
  await assert.rejects(loaded(bad), (error) => {
    assert.ok(error instanceof FilterRejected);
    const log = error.log.map(({ message }) => message.replace("body-guard rejects its configuration: ", ""));
    for (const fault of [
      "rules[0].name: should be 1 to 64 letters, digits, - or _",
      "rules[0].maxBytes: is required, because JSON is held until all of it has arrived",
      "rules[0].json.maxDepth: should be a whole number from 1 to 128, is 0",
      'rules[0].json.shape.type: should be one of object, array, string, number, integer, boolean, null, is "text"',
      "rules[0].json.shape.properties.a.enum[0]: should be a string, a number, true, false or null",
      "rules[0].json.shape.properties.a.minLength: should be a whole number from 0 to 2147483647, is -1",
      "rules[0].json.shape.required[0]: should be one of the properties",
      "rules[0].json.shape.items: should be an object, is a number",
      'rules[1].contentTypes[0]: should be a media type, such as "text/*"',
    ]) {
      assert.ok(log.includes(fault), `${fault}\n${log.join("\n")}`);
    }
    assert.ok(
      log.some((fault) => fault.startsWith("rules[0].json.shape.pattern: is unknown")),
      log.join("\n"),
    );
    return true;
  });
});

test("the shipped configuration is valid", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config);
  const body = JSON.stringify({ items: [{ sku: "tea", quantity: 0 }] });
  const reply = await host.request({ path: "/cart", headers: json, body });
  assert.deepEqual(JSON.parse(reply.body).faults, ["items[0].quantity: should be 1 or more"]);
  assert.equal((await host.request({ path: "/cart", headers: json, body: body.replace("0", "1") })).status, 200);
});

function loaded(config: unknown, options: { readonly bufferLimit?: number } = {}): Promise<Host> {
  return loadFilter(wasm, { config, allowOnHeadersStopIteration: true, ...options });
}
