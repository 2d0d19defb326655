import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FilterRejected, type Host, loadFilter, type Request } from "@chancery/filter-testing";

const wasm = new URL("../build/api-key.wasm", import.meta.url);
const sha256 = (key: string): string => createHash("sha256").update(key).digest("hex");

// The host's clock starts at the begin of 2025.
const settings = {
  query: "api_key",
  exempt: [{ path: "/health" }, { pathPrefix: "/public/" }],
  keys: [
    { name: "billing", sha256: sha256("key-of-billing") },
    { name: "plus", sha256: sha256("a+b/c=é") },
    { name: "old", sha256: sha256("old-key"), expires: "2024-12-31T23:59:59Z" },
    { name: "young", sha256: sha256("young-key"), expires: "2025-01-01T01:00:30.5+01:00" },
    { name: "unix", sha256: sha256("unix-key"), expires: 1_735_689_660 },
    { name: "reader", sha256: sha256("reader-key"), pathPrefixes: ["/a/", "/b/"], methods: ["GET", "HEAD"] },
  ],
};
const withKey = (key: string, path = "/a/"): Request => ({ path, headers: { "x-api-key": key } });

const cases: readonly [what: string, request: Request, client: string, path?: string][] = [
  ["a key in the header", withKey("key-of-billing"), "billing"],
  ["a key in the query", { path: "/a/?x=1&api_key=key-of-billing&y=%20" }, "billing", "/a/?x=1&y=%20"],
  ["a key that is the whole query", { path: "/a/?api_key=key-of-billing" }, "billing", "/a/"],
  ["a key that is escaped", { path: "/a/?api_key=a%2Bb%2fc%3D%C3%A9" }, "plus", "/a/"],
  [
    "the header's key, which takes precedence over the query's,",
    withKey("key-of-billing", "/a/?api_key=no&api_key="),
    "billing",
    "/a/",
  ],
  ["the query's key when the header is empty", withKey("", "/a/?api_key=unix-key&api_key=no"), "unix", "/a/"],
  ["a request with parameters of similar names", withKey("unix-key", "/a/?my_api_key=1&api_keys=2"), "unix"],
  ["a path and method that the key is valid for", { ...withKey("reader-key", "/b/?q"), method: "HEAD" }, "reader"],
  ["a key that is not yet expired", withKey("young-key"), "young"],
];

for (const [what, request, client, path = request.path] of cases) {
  test(`${what} admits ${client}, and the key is removed`, async () => {
    using host = await loaded(settings);
    const { status, upstream } = await host.request(request);
    assert.equal(status, 200);
    assert.equal(upstream?.headers.get("x-client-id"), client);
    assert.equal(upstream?.headers.get("x-api-key"), undefined);
    assert.equal(upstream?.path, path);
    assert.deepEqual(host.metrics, { [`api_key.allowed;client=${client}`]: 1 });
  });
}

const rejections: readonly [request: Request, status: number, text: string, reason: string, client?: string][] = [
  [{ path: "/a/" }, 401, "an API key is required", "missing"],
  [withKey(""), 401, "an API key is required", "missing"],
  [{ path: "/a/?api_key=" }, 401, "an API key is required", "missing"],
  [{ path: "/healthy" }, 401, "an API key is required", "missing"],
  [withKey("key-of-billin"), 401, "the API key is not valid", "unknown"],
  [withKey(sha256("key-of-billing")), 401, "the API key is not valid", "unknown"],
  [withKey("old-key"), 401, "the API key has expired", "expired", "old"],
  [withKey("reader-key", "/c/"), 403, "the API key is not for this path", "path", "reader"],
  [{ ...withKey("reader-key"), method: "POST" }, 403, "the API key is not for this method", "method", "reader"],
];

for (const [request, status, text, reason, client = "unknown"] of rejections) {
  test(`${request.method ?? "GET"} ${request.path} with ${JSON.stringify(request.headers ?? {})}: ${text}`, async () => {
    using host = await loaded(settings);
    const reply = await host.request(request);
    assert.equal(reply.status, status);
    assert.equal(reply.body, `${text}\n`);
    assert.equal(reply.headers.get("x-api-key-reason"), text);
    assert.equal(reply.headers.get("www-authenticate"), status === 401 ? "ApiKey" : undefined);
    assert.equal(reply.details, `api_key_denied{${reason}}`);
    assert.equal(reply.upstream, undefined);
    assert.deepEqual(host.metrics, { [`api_key.denied;client=${client};reason=${reason}`]: 1 });
  });
}

test("finds each of a hundred keys, and no other", async () => {
  const keys = Array.from({ length: 100 }, (_, index) => ({ name: `c${index}`, sha256: sha256(`key ${index}`) }));
  using host = await loaded({ keys });
  for (let index = 0; index < 100; index++) {
    const { upstream } = await host.request(withKey(`key ${index}`));
    assert.equal(upstream?.headers.get("x-client-id"), `c${index}`);
  }
  assert.equal((await host.request(withKey("key 100"))).status, 401);
});

test("a hash that differs in any one byte does not match", async () => {
  const hash = Buffer.from(sha256("key"), "hex");
  const keys = Array.from(hash, (byte, at) => {
    const other = Buffer.from(hash);
    other[at] = byte ^ 1;
    return { name: "other", sha256: other.toString("hex") };
  });
  using host = await loaded({ keys });
  assert.equal((await host.request(withKey("key"))).status, 401);
});

test("a key expires between requests", async () => {
  using host = await loaded(settings);
  host.advance(29_999);
  assert.equal((await host.request(withKey("young-key"))).status, 200);
  host.advance(1);
  assert.equal((await host.request(withKey("young-key"))).status, 401);
  assert.equal((await host.request(withKey("unix-key"))).status, 200);
  host.advance(30_000);
  assert.equal((await host.request(withKey("unix-key"))).status, 401);
});

test("exempt requests need no key, and a key in them is removed", async () => {
  using host = await loaded(settings);
  for (const path of ["/health", "/health?api_key=1", "/public/x"]) {
    const { status, upstream } = await host.request(withKey("whatever", path));
    assert.equal(status, 200);
    assert.equal(upstream?.headers.get("x-api-key"), undefined);
    assert.equal(upstream?.path, path.replace(/\?.*/, ""));
  }
  assert.deepEqual(host.metrics, { "api_key.exempt": 3 });
});

test("a client cannot claim another client's name", async () => {
  using host = await loaded({ ...settings, identityHeader: "X-Who" });
  const claims = { "x-who": ["billing", "root"] };
  const known = await host.request({ path: "/a/", headers: { ...claims, "x-api-key": "unix-key" } });
  assert.deepEqual(
    [...(known.upstream?.headers ?? [])].filter(([name]) => name === "x-who"),
    [["x-who", "unix"]],
  );
  const exempt = await host.request({ path: "/health", headers: claims });
  assert.equal(exempt.upstream?.headers.get("x-who"), undefined);
});

test("a rejected key is in no log, because it is removed from the path first", async () => {
  using host = await loaded(settings, "trace");
  const reply = await host.request({ path: "/c/?api_key=reader-key" });
  assert.equal(reply.status, 403);
  assert.doesNotMatch(JSON.stringify([host.log, [...reply.headers], reply.body, reply.details]), /reader-key/);
});

test("a rejection in JSON contains the reason", async () => {
  using host = await loaded({ ...settings, body: "json" });
  const reply = await host.request({});
  assert.equal(reply.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(reply.body), { error: "denied", reason: "an API key is required" });
});

test("rejects a configuration with faults, and reports every fault with its path", async () => {
  const hash = sha256("one");
  const expiries = ["soon", "2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:00:00", -1, 1.5, null];
  const bad = {
    header: "X-Client-Id",
    query: "a=b",
    exempt: [{ path: "/a", pathPrefix: "/b" }, { path: "health" }, {}],
    keys: [
      { name: "unknown", sha256: hash, pathPrefixes: [], methods: ["get"] },
      { name: "a b", sha256: hash.toUpperCase() },
      { name: "twice", sha256: hash, key: "secret" },
      ...expiries.map((expires, index) => ({ name: "late", sha256: sha256(`late ${index}`), expires })),
    ],
  };
  const time = 'should be a time after 1970: "2027-01-31T00:00:00Z", or whole seconds since 1970';
  await assert.rejects(loaded(bad), (error) => {
    assert.ok(error instanceof FilterRejected);
    const log = error.log.map(({ message }) => message.replace("api-key rejects its configuration: ", ""));
    assert.deepEqual(log, [
      'keys[0].name: "unknown" is reserved for clients without a valid key',
      "keys[0].pathPrefixes: should name a prefix; leave it out to allow all paths",
      "keys[0].methods[0]: methods are in upper case, as in requests",
      "keys[1].name: should be 1 to 64 letters, digits, - or _",
      "keys[1].sha256: should be a SHA-256: 64 digits of 0-9, a-f",
      "keys[2].key: is unknown; known names are name, sha256, expires, pathPrefixes, methods",
      "keys[2].sha256: another key has the same hash",
      ...expiries.map((_, index) => `keys[${index + 3}].expires: ${time}`),
      "query: should be 1 to 64 letters, digits, - or _",
      "header and identityHeader should not be the same",
      "exempt[0]: should name one of path, pathPrefix",
      'exempt[1].path: should start with "/", is "health"',
      "exempt[2]: should name one of path, pathPrefix",
      "exempt[2].path: should be a string, is missing",
    ]);
    return true;
  });
});

test("parses times as Date does", async () => {
  const times = [
    "2025-03-01T00:00:00Z",
    "2028-02-29T23:59:59-05:30",
    "2100-03-01T12:00:00+14:00",
    "2199-12-31T00:00:00.25Z",
  ];
  for (const expires of times) {
    for (const [second, status] of [
      [-1, 200],
      [1, 401],
    ] as const) {
      const now = new Date(Date.parse(expires) + second * 1000);
      using host = await loadFilter(wasm, { config: { keys: [{ name: "a", sha256: sha256("k"), expires }] }, now });
      assert.equal((await host.request(withKey("k"))).status, status, `${expires}, ${second} s after it`);
    }
  }
});

test("the shipped configuration is valid, and admits no client", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config);
  assert.equal((await host.request({ path: "/health" })).status, 200);
  assert.equal((await host.request(withKey("x"))).status, 401);
});

function loaded(config: unknown, logLevel: "info" | "trace" = "info"): Promise<Host> {
  return loadFilter(wasm, { config, logLevel });
}
