import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { withFuel } from "@chancery/filter-sdk/fuel";
import { FilterRejected, type Host, loadFilter, type Request } from "@chancery/filter-testing";

const wasm = new URL("../build/header-rules.wasm", import.meta.url);

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A request's headers, and the values that arrive upstream. */
const requestCases: readonly [what: string, rules: readonly object[], sent: Headers, arrives: Headers][] = [
  ["replaces the values of a header", [{ set: "X-A", value: "new" }], { "x-a": ["1", "2"] }, { "x-a": ["new"] }],
  ["sets a missing header", [{ set: "x-a", value: "" }], {}, { "x-a": [""] }],
  ["adds a value to the existing ones", [{ add: "x-a", value: "é" }], { "x-a": "1" }, { "x-a": ["1", "é"] }],
  [
    "copies all values, and replaces those of the target",
    [{ copy: "x-a", to: "x-b" }],
    { "x-a": ["1", "2"], "x-b": "old" },
    { "x-a": ["1", "2"], "x-b": ["1", "2"] },
  ],
  ["keeps the target when there is nothing to copy", [{ copy: "x-a", to: "x-b" }], { "x-b": "1" }, { "x-b": ["1"] }],
  [
    "removes all values of a header",
    [{ remove: "X-A" }],
    { "x-a": ["1", "2"], "x-ab": "3" },
    { "x-a": [], "x-ab": ["3"] },
  ],
  [
    "removes headers by prefix",
    [{ remove: "X-Internal-*" }],
    { "x-internal-a": ["1", "2"], "x-internal-": "3", "x-internal": "4" },
    { "x-internal-a": [], "x-internal-": [], "x-internal": ["4"] },
  ],
  [
    "does not remove framing headers by prefix",
    [{ remove: "c*" }, { remove: "t*" }],
    { "content-type": "text/plain", te: "trailers", "content-length": "0", traceparent: "1" },
    { "content-type": [], traceparent: [], te: ["trailers"], "content-length": ["0"] },
  ],
  [
    "rewrites each value that the pattern matches",
    [{ rewrite: "x-a", pattern: "v{n}.*", value: "{n}" }],
    { "x-a": ["v1.0", "other", "v2.", "v3"] },
    { "x-a": ["1", "other", "2", "v3"] },
  ],
  [
    "replaces variables by headers",
    [{ set: "x-a", value: "<{header:X-B}|{header::method}|{{{header:host}}}>" }],
    { "x-b": ["1", "2"], ":authority": "shop" },
    { "x-a": ["<1|POST|{shop}>"] },
  ],
  ["skips a rule with a variable that has no value", [{ set: "x-a", value: "a{header:x-b}" }], {}, { "x-a": [] }],
  ["uses an empty header as a value", [{ set: "x-a", value: "a{header:x-b}" }], { "x-b": "" }, { "x-a": ["a"] }],
  [
    "runs each rule on the changes of the earlier ones",
    [
      { set: "x-a", value: "1" },
      { copy: "x-a", to: "x-b" },
      { remove: "x-a" },
      { match: { headers: [{ name: "x-a", present: true }] }, set: "x-c", value: "no" },
      { match: { headers: [{ name: "x-b", exact: "1" }] }, set: "x-d", value: "yes" },
    ],
    {},
    { "x-a": [], "x-b": ["1"], "x-c": [], "x-d": ["yes"] },
  ],
  [
    "changes path and authority",
    [
      { rewrite: ":path", pattern: "/api/v{version}/{rest}", value: "/{rest}#{version}" },
      { set: ":authority", value: "v1.{header::authority}" },
    ],
    { ":path": "/api/v1/cart?a=/api/v2/", ":authority": "shop" },
    { ":path": ["/cart?a=/api/v2/#1"], ":authority": ["v1.shop"] },
  ],
  [
    "keeps path and authority when the new value is empty or has a blank",
    [
      { set: ":authority", value: "{header:x-host}" },
      { set: ":path", value: "/{header:x-path}" },
      { rewrite: ":path", pattern: "/{a}b{c}", value: "/{header:x-path}" },
    ],
    { "x-host": "", "x-path": "a HTTP/1.1", ":path": "/abc" },
    { ":path": ["/abc"], ":authority": ["localhost"] },
  ],
  [
    "matches path and method",
    [
      { match: { path: "/cart" }, set: "x-a", value: "1" },
      { match: { path: "/car" }, set: "x-b", value: "1" },
      { match: { pathPrefix: "/car", methods: ["GET"] }, set: "x-c", value: "1" },
    ],
    { ":path": "/cart?x" },
    { "x-a": ["1"], "x-b": [], "x-c": [] },
  ],
];

for (const [what, rules, sent, arrives] of requestCases) {
  test(`it ${what}`, async () => {
    using host = await loaded({ request: rules });
    const { upstream } = await host.request(requestWith(sent));
    for (const [name, values] of Object.entries(arrives)) {
      assert.deepEqual(upstream?.headers.getAll(name), values, name);
    }
  });
}

test("replaces variables by properties that are text, and by no others", async () => {
  using host = await loaded({ request: [{ set: "x-a", value: "{property:xds.route_name}" }] });
  const seen = async (value: string) => {
    const reply = await host.request({ properties: { "xds.route_name": value } });
    return reply.upstream?.headers.get("x-a");
  };
  assert.equal(await seen("cart"), "cart");
  assert.equal(await seen("a\r\nx-b: 1"), undefined);
  assert.equal(await seen(""), undefined);
});

test("rules for responses match the response and the request", async () => {
  using host = await loaded({
    request: [
      { set: "x-user", value: "changed" },
      { set: ":path", value: "/other" },
    ],
    response: [
      { remove: "x-powered-by" },
      { set: "x-seen", value: "{request:x-user} {request::path} {header::status}" },
      { match: { pathPrefix: "/cart" }, set: "cache-control", value: "no-store" },
      { match: { pathPrefix: "/other" }, set: "x-other", value: "1" },
      { responseHeaders: [{ name: ":status", prefix: "5" }], set: "retry-after", value: "1" },
      { rewrite: "set-cookie", pattern: "{cookie}; Secure", value: "{cookie}; Secure; SameSite=Lax" },
    ],
  });
  const headers = { "x-powered-by": "x", "set-cookie": ["a=1; Secure", "b=2"] };
  const upstream = () => ({ status: 503, headers });
  const reply = await host.request({ path: "/cart/1", headers: { "x-user": "ada" }, upstream });
  assert.equal(reply.headers.get("x-powered-by"), undefined);
  assert.equal(reply.headers.get("x-seen"), "ada /cart/1 503");
  assert.equal(reply.headers.get("cache-control"), "no-store");
  assert.equal(reply.headers.get("x-other"), undefined);
  assert.equal(reply.headers.get("retry-after"), "1");
  assert.deepEqual(reply.headers.getAll("set-cookie"), ["a=1; Secure; SameSite=Lax", "b=2"]);
  assert.equal((await host.request({ path: "/cart" })).headers.get("x-seen"), undefined);
});

test("counts named rules when they change something", async () => {
  const rules = [
    { name: "gone", remove: "x-a" },
    { name: "path", rewrite: ":path", pattern: "/old/{rest}", value: "/{rest}" },
    { set: "x-b", value: "1" },
  ];
  using host = await loaded({ request: rules });
  await host.request({ path: "/old/a", headers: { "x-a": "1" } });
  await host.request({ path: "/old/b" });
  assert.deepEqual(host.metrics, { "header_rules.applied;rule=gone": 1, "header_rules.applied;rule=path": 2 });
});

const patterns: readonly [pattern: string, value: string, captures: Readonly<Record<string, string>> | undefined][] = [
  ["abc", "abc", {}],
  ["abc", "abcd", undefined],
  ["", "", {}],
  ["*", "", {}],
  ["{a}", "x", { a: "x" }],
  ["a*c", "ac", {}],
  ["a*c", "abcb", undefined],
  ["aba*ba", "aba", undefined],
  ["{a}-{b}", "1-2-3", { a: "1", b: "2-3" }],
  ["{a}-{b}-x", "1-2-3-x", { a: "1", b: "2-3" }],
  ["{a}aab{b}", "aaab", { a: "a", b: "" }],
  ["{a}abab{b}", "abaabab", { a: "aba", b: "" }],
  ["{{a}}**}}", "{a}*}", {}],
  ["é{a}", "éü", { a: "ü" }],
];

for (const [pattern, value, captures] of patterns) {
  test(`pattern "${pattern}" ${captures ? "matches" : "does not match"} "${value}"`, async () => {
    const names = Object.keys(captures ?? {});
    const template = names.map((name) => `${name}=<{${name}}>`).join(" ");
    using host = await loaded({ request: [{ rewrite: "x-a", pattern, value: `found ${template}` }] });
    const { upstream } = await host.request({ headers: { "x-a": value } });
    const found = Object.entries(captures ?? {}).map(([name, text]) => `${name}=<${text}>`);
    assert.equal(upstream?.headers.get("x-a"), captures ? `found ${found.join(" ")}` : value);
  });
}

test("random patterns match like equivalent regular expressions", async () => {
  const random = randomNumbers(5);
  const text = (most: number) =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, () => (random() < 0.6 ? "a" : "b"));
  let matched = 0;
  for (let round = 0; round < 150; round++) {
    const literals = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, index) => {
      const literal = text(2).join("");
      return index > 0 && literal === "" ? "b" : literal;
    });
    const pattern = literals.reduce((before, literal, index) => `${before}{c${index}}${literal}`);
    const expected = new RegExp(`^${literals.join("(.*?)")}$`);
    const template = literals.slice(1).map((_, index) => `{c${index + 1}}`);
    using host = await loaded({ request: [{ rewrite: "x-a", pattern, value: `=${template.join(",")}` }] });
    for (let sent = 0; sent < 20; sent++) {
      const value = text(12).join("");
      const { upstream } = await host.request({ headers: { "x-a": value } });
      const match = expected.exec(value);
      if (match) matched++;
      assert.equal(
        upstream?.headers.get("x-a"),
        match ? `=${match.slice(1).join(",")}` : value,
        `${pattern} on ${value}`,
      );
    }
  }
  assert.ok(matched > 300, `${matched} matched`);
});

test("the time of a match is proportional to the value, also for repetitive values", async () => {
  const pattern = `{a}${"a".repeat(2000)}b{b}`;
  const value = "a".repeat(50_000);
  // About 200 instructions for each byte. A comparison at each position would take 2,000 instructions for each byte.
  const { wasm: fuelled } = withFuel(await readFile(wasm), { budget: 200 * value.length });
  using host = await loadFilter(fuelled, {
    name: "header-rules",
    config: { request: [{ rewrite: "x-a", pattern, value: "found" }] },
  });
  assert.equal((await host.request({ headers: { "x-a": value } })).upstream?.headers.get("x-a"), value);
  assert.equal((await host.request({ headers: { "x-a": `${value}b` } })).upstream?.headers.get("x-a"), "found");
});

const faults: readonly [rule: object, fault: string][] = [
  [{}, "request[0]: should name one of set, add, copy, remove, rewrite"],
  [{ set: "a", add: "b", value: "" }, "request[0]: should name one of set, add, copy, remove, rewrite"],
  [{ set: "a" }, "request[0].value: should be a string, is missing"],
  [{ remove: "a", value: "" }, "request[0].value: is unknown; known names are name, match, remove"],
  [{ set: "a b", value: "" }, 'request[0].set: "a b" is not the name of a header'],
  [
    { set: "Connection", value: "" },
    "request[0].set: connection belongs to the connection or the framing, which Envoy controls",
  ],
  [
    { remove: "content-length" },
    "request[0].remove: content-length belongs to the connection or the framing, which Envoy controls",
  ],
  [{ set: "host", value: "" }, 'request[0].set: is called ":authority" in Envoy; use that name'],
  [
    { set: ":method", value: "GET" },
    "request[0].set: may change only the pseudo headers :path and :authority, not :method",
  ],
  [{ add: ":path", value: "/" }, "request[0].add: may change no pseudo header, not :path"],
  [{ remove: "*" }, 'request[0].remove: "" is not a prefix of a header name'],
  [{ remove: ":p*" }, 'request[0].remove: ":p" is not a prefix of a header name'],
  [{ remove: "x-*-y" }, 'request[0].remove: "x-*-y" is not the name of a header'],
  [{ set: ":path", value: "{header:x}" }, 'request[0].value: should start with "/", because it becomes the path'],
  [{ set: ":path", value: "/a b" }, "request[0].value: should have no blank, because it becomes :path"],
  [{ set: ":authority", value: "" }, "request[0].value: should not be empty"],
  [{ set: "a", value: "x\ny" }, "request[0].value: has a control character, which a header must not contain"],
  [{ set: "a", value: "{header:x" }, "request[0].value: has an unmatched brace; write {{ or }} for a brace"],
  [{ set: "a", value: "x}" }, "request[0].value: has an unmatched brace; write {{ or }} for a brace"],
  [{ set: "a", value: "{x}" }, "request[0].value: {x} is unknown; use {header:NAME}, {property:PATH}"],
  [{ set: "a", value: "{request:x}" }, "request[0].value: {request:x} is unknown; use {header:NAME}, {property:PATH}"],
  [
    { rewrite: "a", pattern: "{x}", value: "{y}" },
    "request[0].value: {y} is unknown; use {header:NAME}, {property:PATH}, or a capture of the pattern",
  ],
  [{ rewrite: "a", pattern: "*{x}", value: "" }, "request[0].pattern: has two runs with nothing between them"],
  [{ rewrite: "a", pattern: "{x}-{x}", value: "" }, 'request[0].pattern: names two captures "x"'],
  [{ rewrite: "a", pattern: "{}", value: "" }, 'request[0].pattern: "" should be a name of letters, digits, - and _'],
  [{ copy: "a", to: "A" }, "request[0].to: is the same header"],
];

test("rejects a configuration with a fault, and reports the fault with its path", async () => {
  for (const [rule, fault] of faults) {
    await assert.rejects(loaded({ request: [rule] }), (error) => {
      assert.ok(error instanceof FilterRejected, JSON.stringify(rule));
      const log = error.log.map(({ message }) => message);
      assert.deepEqual(log, [`header-rules rejects its configuration: ${fault}`]);
      return true;
    });
  }
});

test("the shipped configuration is valid", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config);
  const reply = await host.request({ path: "/api/v1/cart", headers: { "x-internal-user": "root" } });
  assert.equal(reply.upstream?.headers.get(":path"), "/cart");
  assert.equal(reply.upstream?.headers.get("x-internal-user"), undefined);
  assert.equal(reply.headers.get("x-content-type-options"), "nosniff");
});

/** Pseudo-random numbers from a seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function requestWith(sent: Headers): Request {
  const { ":path": path = "/", ":authority": authority = "localhost", ...others } = sent;
  return { method: "POST", headers: { ":path": path, ":authority": authority, ...others } };
}

function loaded(config: unknown): Promise<Host> {
  return loadFilter(wasm, { config });
}
