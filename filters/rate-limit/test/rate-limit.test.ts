import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FilterRejected, type Host, loadFilter, type Reply, type Request } from "@chancery/filter-testing";

const wasm = new URL("../build/rate-limit.wasm", import.meta.url);

const perKey = { name: "per-key", key: [{ header: "x-key" }], tokens: 2, per: "10s", burst: 3 };

test("a bucket lets its burst pass, then the refilled tokens, and reports when to retry", async () => {
  using host = await loaded({ limits: [perKey] });
  assert.deepEqual(await statuses(host, 4, { headers: { "x-key": "a" } }), [200, 200, 200, 429]);
  const rejection = await host.request({ headers: { "x-key": "a" } });
  assert.equal(rejection.body, "too many requests\n");
  assert.equal(rejection.details, "rate_limit_rejected{per-key}");
  assert.equal(rejection.upstream, undefined);
  assert.deepEqual(limitHeaders(rejection), ["5", '"per-key";r=0;t=5', '"per-key";q=3;w=15', "true"]);
  host.advance(4999);
  assert.deepEqual(limitHeaders(await host.request({ headers: { "x-key": "a" } })).slice(0, 1), ["1"]);
  host.advance(1);
  assert.deepEqual(await statuses(host, 2, { headers: { "x-key": "a" } }), [200, 429]);
});

test("each key has its own bucket, and requests without a key share one", async () => {
  using host = await loaded({ limits: [{ ...perKey, burst: 1 }] });
  for (const value of ["a", "b", ""]) {
    assert.deepEqual(await statuses(host, 2, { headers: { "x-key": value } }), [200, 429], value);
  }
  assert.deepEqual(await statuses(host, 2, {}), [200, 429]);
});

test("requests without the key are not limited when the limit skips them", async () => {
  using host = await loaded({ limits: [{ ...perKey, burst: 1, missing: "skip" }] });
  assert.deepEqual(await statuses(host, 3, {}), [200, 200, 200]);
  assert.deepEqual(host.metrics, {});
});

test("different parts of a key never give the same key", async () => {
  const key = [{ header: "x-a" }, { header: "x-b" }];
  using host = await loaded({ limits: [{ ...perKey, key, burst: 1 }] });
  const pairs = [
    ["a", "bc"],
    ["ab", "c"],
    ["1:a", ""],
    ["", "1:a"],
    ["-", ""],
  ];
  for (const [a, b] of pairs) {
    assert.deepEqual(await statuses(host, 2, { headers: { "x-a": a, "x-b": b } }), [200, 429], `${a} and ${b}`);
  }
  assert.deepEqual(await statuses(host, 2, { headers: { "x-a": "a" } }), [200, 429]);
});

const clients: readonly [address: string, other: string, same: boolean][] = [
  ["192.0.2.1:1000", "192.0.2.1:2000", true],
  ["192.0.2.1:1000", "192.0.2.2:1000", false],
  ["[2001:db8:0:1::1]:1000", "[2001:db8:0:1:ffff::]:1", true],
  ["[2001:db8:0:1::1]:1000", "[2001:db8:0:2::1]:1000", false],
  ["[2001:db8::1]:1000", "[2001:db8:0:0:1:2:3:4]:1", true],
  ["[2001:db8::1]:1000", "[2001:db8:1::1]:1000", false],
  ["[::1:2:3:4:5]:1", "[0:0:0:1::]:1", true],
  ["[::1]:1", "[::1:0:0:0:1]:1", false],
  ["[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false],
];

for (const [address, other, same] of clients) {
  test(`${address} and ${other} are ${same ? "one client" : "two clients"}`, async () => {
    using host = await loaded({ limits: [{ ...perKey, key: [{ clientAddress: true }], burst: 1 }] });
    assert.equal((await host.request({ properties: { "source.address": address } })).status, 200);
    const reply = await host.request({ properties: { "source.address": other } });
    assert.equal(reply.status, same ? 429 : 200);
  });
}

test("path segments and properties distinguish requests", async () => {
  const key = [{ pathSegment: 2 }, { property: "xds.route_name" }];
  using host = await loaded({ limits: [{ ...perKey, key, burst: 1 }] });
  const status = async (path: string, route: string): Promise<number> => {
    return (await host.request({ path, properties: { "xds.route_name": route } })).status;
  };
  assert.equal(await status("/tenants/acme/orders", "api"), 200);
  assert.equal(await status("/tenants/acme?x=/y", "api"), 429);
  assert.equal(await status("/tenants/other", "api"), 200);
  assert.equal(await status("/tenants/acme", "admin"), 200);
  assert.equal(await status("/tenants", "api"), 200);
  assert.equal(await status("/tenants/?x", "api"), 429);
});

test("a limit applies only to matching requests, and the first limit without a token rejects", async () => {
  const writes = { name: "writes", match: { pathPrefix: "/cart", methods: ["POST"] }, tokens: 1, per: "1m" };
  const all = { name: "all", tokens: 3, per: "1m" };
  using host = await loaded({ limits: [writes, all] });
  assert.deepEqual(await statuses(host, 2, { path: "/cart/1", method: "POST" }), [200, 429]);
  assert.deepEqual(await statuses(host, 3, { path: "/cart/1" }), [200, 200, 429]);
  assert.deepEqual(host.metrics, {
    "rate_limit.passed;rule=writes": 1,
    "rate_limit.passed;rule=all": 3,
    "rate_limit.rejected;rule=writes": 1,
    "rate_limit.rejected;rule=all": 1,
  });
});

test("a limit that is not enforced only counts", async () => {
  using host = await loaded({ headers: "all", limits: [{ ...perKey, burst: 1, enforce: false }] });
  assert.deepEqual(await statuses(host, 3, { headers: { "x-key": "a" } }), [200, 200, 200]);
  assert.deepEqual(limitHeaders(await host.request({ headers: { "x-key": "a" } })), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(host.metrics, { "rate_limit.passed;rule=per-key": 1, "rate_limit.would_reject;rule=per-key": 3 });
});

test("answers to requests that pass report the state of the limits when configured", async () => {
  const all = { name: "all", tokens: 100, per: "1s" };
  using host = await loaded({ headers: "all", limits: [perKey, all] });
  const reply = await host.request({ headers: { "x-key": "a" } });
  assert.equal(reply.headers.get("ratelimit"), '"per-key";r=2;t=5, "all";r=99;t=1');
  assert.equal(reply.headers.get("ratelimit-policy"), '"per-key";q=3;w=15, "all";q=100;w=1');
  using silent = await loaded({ limits: [perKey] });
  assert.equal((await silent.request({ headers: { "x-key": "a" } })).headers.get("ratelimit"), undefined);
});

test("gRPC clients get RESOURCE_EXHAUSTED", async () => {
  using host = await loaded({ limits: [{ ...perKey, burst: 1 }] });
  const request = { method: "POST", headers: { "x-key": "a", "content-type": "application/grpc" } };
  await host.request(request);
  const reply = await host.request(request);
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get("grpc-status"), "8");
  assert.equal(reply.headers.get("retry-after"), "5");
});

test("all workers share the buckets", async () => {
  using host = await loaded({ limits: [perKey] }, { workers: 3 });
  assert.deepEqual(await statuses(host, 5, { headers: { "x-key": "a" } }), [200, 200, 200, 429, 429]);
});

test("a new configuration keeps the tokens that are left, and uses its own rate", async () => {
  using host = await loaded({ limits: [{ ...perKey, tokens: 1, per: "1h", burst: 5 }] });
  assert.deepEqual(await statuses(host, 3, { headers: { "x-key": "a" } }), [200, 200, 200]);
  await host.swap({ config: { limits: [{ ...perKey, tokens: 1, per: "7s", burst: 4 }] } });
  assert.deepEqual(await statuses(host, 3, { headers: { "x-key": "a" } }), [200, 200, 429]);
  host.advance(7000);
  assert.deepEqual(await statuses(host, 2, { headers: { "x-key": "a" } }), [200, 429]);
});

test("decides about random arrivals as exact fractions do, over hours and at any rate", async () => {
  const random = randomNumbers(11);
  const below = (most: number): number => Math.floor(random() * most);
  let rejections = 0;
  for (let round = 0; round < 60; round++) {
    const tokens = 1 + below([3, 10, 1000, 1_000_000][round % 4] ?? 1);
    const per = 1 + below([7, 1000, 60_000, 86_400_000][below(4)] ?? 1);
    const burst = 1 + below([1, 5, 40][below(3)] ?? 1);
    using host = await loaded({ limits: [{ name: "all", tokens, per: `${per}ms`, burst }] });
    const model = new Model(tokens, per, burst);
    // Sometimes much longer than a bucket needs to fill, otherwise about the refill rate.
    const usual = Math.max(1, Math.round((2 * per) / tokens));
    for (let arrival = 0; arrival < 150; arrival++) {
      const waits = random() < 0.03 ? 10 * burst * usual : random() < 0.5 ? 0 : below(usual + 1);
      host.advance(waits);
      const expected = model.arrival(waits);
      const reply = await host.request();
      const what = `round ${round}, arrival ${arrival}: ${tokens} per ${per} ms, burst ${burst}`;
      assert.equal(reply.status, expected.passes ? 200 : 429, what);
      if (expected.passes) continue;
      rejections++;
      assert.equal(reply.headers.get("retry-after"), String(expected.retryAfterSeconds), what);
    }
  }
  assert.ok(rejections > 1000, `${rejections} rejections`);
});

test("keys that fit have exact buckets, and the memory for more keys is bounded", async () => {
  const maxKeys = 64;
  using host = await loaded({ maxKeys, limits: [{ ...perKey, tokens: 1, per: "1h", burst: 1 }] });
  for (let key = 0; key < 16; key++) {
    assert.equal((await host.request({ headers: { "x-key": `k${key}` } })).status, 200);
  }
  for (let key = 0; key < 16; key++) {
    assert.equal((await host.request({ headers: { "x-key": `k${key}` } })).status, 429);
  }
  for (let key = 0; key < 2000; key++) await host.request({ headers: { "x-key": `other${key}` } });
  const sets = [0, 1, 2, 3, 4].map((set) => host.sharedDataBytes(`rate-limit/per-key/${set}`)?.length);
  const full = 8 + 16 * 24;
  assert.deepEqual(sets, [full, full, full, full, undefined]);
});

test("a bucket that is full again uses no memory after the next request of its set", async () => {
  using host = await loaded({ maxKeys: 16, limits: [{ ...perKey, tokens: 1, per: "1s", burst: 1 }] });
  for (let key = 0; key < 10; key++) await host.request({ headers: { "x-key": `k${key}` } });
  assert.equal(host.sharedDataBytes("rate-limit/per-key/0")?.length, 8 + 10 * 24);
  host.advance(1000);
  await host.request({ headers: { "x-key": "k3" } });
  assert.equal(host.sharedDataBytes("rate-limit/per-key/0")?.length, 8 + 24);
});

test("when a set overflows, the key with the most tokens starts again with a full bucket", async () => {
  using host = await loaded({ maxKeys: 16, limits: [{ ...perKey, tokens: 1, per: "1h", burst: 3 }] });
  const request = async (key: string) => (await host.request({ headers: { "x-key": key } })).status;
  for (let key = 0; key < 15; key++) for (let count = 0; count < 3; count++) await request(`k${key}`);
  await request("fresh");
  await request("newest");
  for (let key = 0; key < 15; key++) assert.equal(await request(`k${key}`), 429);
  assert.equal(host.sharedDataBytes("rate-limit/per-key/0")?.length, 8 + 16 * 24);
  assert.deepEqual(await statuses(host, 4, { headers: { "x-key": "fresh" } }), [200, 200, 200, 429]);
});

test("stores keys as their SipHash-2-4, with a random secret that all workers share", async () => {
  const key = Buffer.from([...Array(16).keys()]);
  // The test vector of the paper's appendix A.
  assert.equal(sipHash(key, key.subarray(0, 15)), 0xa129ca6149be45e5n);
  const config = { limits: [perKey] };
  using host = await loaded(config);
  const secret = Buffer.from(host.sharedDataBytes("rate-limit/secret") ?? []);
  using other = await loaded(config);
  assert.notDeepEqual(other.sharedDataBytes("rate-limit/secret"), secret);
  for (const value of ["a", "a key of more than eight bytes"]) {
    await host.request({ headers: { "x-key": value } });
    const hash = sipHash(secret, Buffer.from(`${value.length}:${value}`));
    const set = Buffer.from(host.sharedDataBytes(`rate-limit/per-key/${hash % 4096n}`) ?? []);
    assert.equal(set.readBigUInt64LE(8), hash);
  }
});

test("ignores and overwrites shared data in another format", async () => {
  using host = await loaded({ limits: [{ name: "all", tokens: 1, per: "1h" }] });
  for (const left of [Buffer.from("level=3"), Buffer.alloc(16), Buffer.alloc(8 + 24), Buffer.alloc(8 + 17 * 24, 1)]) {
    host.setSharedData("rate-limit/all/0", left);
    assert.deepEqual(await statuses(host, 2, {}), [200, 429]);
    assert.equal(host.sharedDataBytes("rate-limit/all/0")?.length, 8 + 24);
  }
});

test("uses the monotonic clock", async () => {
  const module = await readFile(wasm);
  assert.ok(module.includes("clock_time_get"));
  assert.ok(!module.includes("proxy_get_current_time_nanoseconds"));
});

test("rejects its configuration when it cannot use the shared data", async () => {
  const capabilities = ["proxy_on_vm_start", "proxy_on_configure", "proxy_on_context_create", "proxy_log"];
  await assert.rejects(loaded({ limits: [perKey] }, { capabilities }), (error) => {
    assert.ok(error instanceof FilterRejected);
    assert.match(error.log.map(({ message }) => message).join("\n"), /needs the shared data/);
    return true;
  });
});

const faults: readonly [limit: object, fault: string][] = [
  [{ per: "25h" }, 'limits[0].per: should be a time of at most 24h such as "500ms", "1s", "1m" or "1h", is "25h"'],
  [{ per: "1" }, 'limits[0].per: should be a time of at most 24h such as "500ms", "1s", "1m" or "1h", is "1"'],
  [{ tokens: 0 }, "limits[0].tokens: should be a whole number from 1 to 1000000, is 0"],
  [{ key: [] }, "limits[0].key: should name a part; leave it out for one bucket"],
  [{ key: [{}] }, "limits[0].key[0]: should name one of header, clientAddress, pathSegment, property"],
  [{ key: [{ clientAddress: false }] }, "limits[0].key[0].clientAddress: should be true"],
  [{ name: "a b" }, "limits[0].name: should be 1 to 64 letters, digits, - or _"],
  [{ match: { path: "x" } }, 'limits[0].match.path: should start with "/", is "x"'],
];

test("rejects a configuration with faults, and reports each fault with its path", async () => {
  for (const [fields, fault] of faults) {
    await assert.rejects(loaded({ limits: [{ ...perKey, ...fields }] }), (error) => {
      assert.ok(error instanceof FilterRejected);
      assert.deepEqual(
        error.log.map(({ message }) => message),
        [`rate-limit rejects its configuration: ${fault}`],
      );
      return true;
    });
  }
});

test("the shipped configuration is valid", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config);
  const all = await statuses(host, 21, { properties: { "source.address": "192.0.2.1:80" } });
  assert.deepEqual(all.slice(19), [200, 429]);
});

/** A bucket with exact fractions: levels are in tokens times milliseconds. */
class Model {
  readonly #tokens: bigint;
  readonly #per: bigint;
  readonly #burst: bigint;
  #level: bigint;

  constructor(tokens: number, perMs: number, burst: number) {
    this.#tokens = BigInt(tokens);
    this.#per = BigInt(perMs);
    this.#burst = BigInt(burst);
    this.#level = this.#burst * this.#per;
  }

  arrival(waitedMs: number): { readonly passes: boolean; readonly retryAfterSeconds: number } {
    const refilled = this.#level + BigInt(waitedMs) * this.#tokens;
    const full = this.#burst * this.#per;
    this.#level = refilled < full ? refilled : full;
    const passes = this.#level >= this.#per;
    if (passes) this.#level -= this.#per;
    const missing = this.#per - this.#level;
    const perSecond = 1000n * this.#tokens;
    return { passes, retryAfterSeconds: Number((missing + perSecond - 1n) / perSecond) };
  }
}

function sipHash(key: Buffer, text: Buffer): bigint {
  const [key0, key1] = [key.readBigUInt64LE(0), key.readBigUInt64LE(8)];
  const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value);
  const rotated = (value: bigint, by: bigint): bigint => wrapped(value << by) | (value >> (64n - by));
  let [a, b, c, d] = [
    key0 ^ 0x736f6d6570736575n,
    key1 ^ 0x646f72616e646f6dn,
    key0 ^ 0x6c7967656e657261n,
    key1 ^ 0x7465646279746573n,
  ];
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      a = wrapped(a + b);
      b = rotated(b, 13n) ^ a;
      a = rotated(a, 32n);
      c = wrapped(c + d);
      d = rotated(d, 16n) ^ c;
      a = wrapped(a + d);
      d = rotated(d, 21n) ^ a;
      c = wrapped(c + b);
      b = rotated(b, 17n) ^ c;
      c = rotated(c, 32n);
    }
  };
  const padded = Buffer.alloc((text.length & ~7) + 8);
  text.copy(padded);
  padded[padded.length - 1] = text.length;
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at);
    d ^= word;
    rounds(2);
    a ^= word;
  }
  c ^= 0xffn;
  rounds(4);
  return a ^ b ^ c ^ d;
}

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

async function statuses(host: Host, count: number, request: Request): Promise<readonly number[]> {
  const replies: number[] = [];
  for (let sent = 0; sent < count; sent++) replies.push((await host.request(request)).status);
  return replies;
}

function limitHeaders({ headers }: Reply): readonly (string | undefined)[] {
  return ["retry-after", "ratelimit", "ratelimit-policy", "x-envoy-ratelimited"].map((name) => headers.get(name));
}

function loaded(config: unknown, options: Parameters<typeof loadFilter>[1] = {}): Promise<Host> {
  return loadFilter(wasm, { config, ...options });
}
