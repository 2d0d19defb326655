import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { Choices } from "../harness/random-choices.ts";
import { repository } from "../harness/server-process.ts";
import { differences as knownDifferences } from "./differences.ts";
import { type ParityOptions, startParity } from "./envoy.ts";
import { randomBodies, randomExchange, randomRequest } from "./filter-requests.ts";
import { startParityHost } from "./host.ts";
import { compareProbe, headersOf, inOrder, patient, playAll, seen } from "./run.ts";
import { type Case, callCluster } from "./scripts.ts";

// Compares the host in Node with a real Envoy: the same modules, the same requests, the same upstream. Environment
// variables set the number of cases and the seed: CHANCERY_PARITY_CASES=10000 CHANCERY_PARITY_SEED=7. A case can be
// repeated from its seed and its number. differences.ts lists what is not compared, each with its reason.

const cases = Number(process.env["CHANCERY_PARITY_CASES"] ?? 300);
const seed = Number(process.env["CHANCERY_PARITY_SEED"] ?? 1);

test(`${cases} random scripts of host calls have the same results in the host as in Envoy`, async (t) => {
  const { undefinedCases, callbacks, calls, races, differences } = await compareProbe(seed, cases);
  t.diagnostic(`${callbacks} callbacks with ${calls} host calls; ${undefinedCases} not defined, ${races} raced`);
  const shown = differences.slice(0, 5).map(({ parityCase, about, envoy, host }) => {
    return `case ${parityCase.id}, ${about}\n  envoy ${JSON.stringify(envoy)}\n  host  ${JSON.stringify(host)}`;
  });
  assert.equal(differences.length, 0, shown.join("\n"));
  assert.ok(calls > cases, "the scripts call the host");
  assert.ok(undefinedCases < cases / 5, "most scripts are defined");
});

const policy = {
  default: { action: "deny", status: 404, reason: "not offered" },
  rules: [
    { name: "no-debug", match: { headers: [{ name: "X-Debug", present: true }] }, action: "deny", reason: "no" },
    { name: "admin", match: { pathPrefix: "/admin/" }, action: "deny", status: 401 },
    { name: "trial", match: { pathSuffix: "/cart" }, action: "deny", enforce: false },
    { name: "deep", match: { query: [{ name: "deep level", exact: "é1" }] }, action: "deny" },
    { name: "client", match: { identity: { uri: { present: true } } }, action: "deny" },
    { name: "health", match: { path: "/health", methods: ["GET", "HEAD"] }, action: "allow" },
    { name: "key", match: { headers: [{ name: "x-api-key", exact: "sésame" }] }, action: "allow" },
    { name: "bots", match: { headers: [{ name: "user-agent", prefix: "bot/" }] }, action: "deny", status: 429 },
    { name: "shop", match: { pathPrefix: "/shop" }, action: "allow" },
  ],
};

test("request-policy answers, forwards and counts in the host as in Envoy", async () => {
  await compareFilter("request-policy", policy);
});

test("request-telemetry counts in the host as in Envoy", async () => {
  await compareFilter("request-telemetry", { tags: ["route", "status", "peer"], sizes: true });
});

const sha256 = (key: string): string => createHash("sha256").update(key).digest("hex");

test("api-key allows, rejects and removes keys in the host as in Envoy", async () => {
  await compareFilter("api-key", {
    query: "deep",
    identityHeader: "x-debug",
    exempt: [{ path: "/other" }],
    keys: [
      { name: "shop", sha256: sha256("sésame"), pathPrefixes: ["/shop"], methods: ["GET", "POST"] },
      { name: "old", sha256: sha256("sesame"), expires: "2000-01-01T00:00:00Z" },
      { name: "deep", sha256: sha256("1") },
    ],
  });
});

test("rate-limit lets the same requests pass in the host as in Envoy", async () => {
  const slow = { tokens: 1, per: "24h" };
  const limits = [
    { name: "writes", match: { methods: ["POST", "DELETE"] }, ...slow, burst: 10, enforce: false },
    { name: "shop", match: { pathPrefix: "/shop" }, ...slow, burst: 12 },
    { name: "per-key", key: [{ header: "x-api-key" }, { pathSegment: 1 }], ...slow, burst: 6 },
  ];
  await compareFilter("rate-limit", { headers: "all", limits }, { pace: inOrder });
});

test("header-rules changes requests and responses in the host as in Envoy", async () => {
  const match = { methods: ["POST", "DELETE"] };
  await compareFilter("header-rules", {
    request: [
      { name: "debug", copy: "x-debug", to: "x-copied" },
      { remove: "x-d*" },
      { match, set: "x-key", value: "{header:x-api-key} of {header:user-agent}" },
      { add: "user-agent", value: "{header::method}/{header:host}" },
      { name: "shop", rewrite: ":path", pattern: "/shop*", value: "/other?shop" },
      { set: ":authority", value: "shop" },
      { rewrite: "x-api-key", pattern: "{a}é{b}", value: "{b}é{a}" },
    ],
    response: [
      { name: "post", match, set: "x-answer", value: "{header:x-answer} {request::path} {property:xds.route_name}" },
      { add: "x-answer", value: "{request:x-debug}" },
      { responseHeaders: [{ name: ":status", prefix: "4" }], copy: "x-answer", to: "x-rejected" },
      { match: { path: "/health" }, remove: "x-*" },
    ],
  });
});

test("token-exchange calls, caches and rejects in the host as in Envoy", async () => {
  const credential = "x-call";
  const set = [{ name: "x-user", header: "x-answer", prefix: "user-" }];
  const request = { path: "/exchange", headers: { "x-asker": "edge" } };
  const config = { cluster: callCluster, request, credential, deadlineMs: 5000, set, onFailure: "allow" };
  // One after the other, so that it is known which requests are answered from the cache.
  await compareFilter("token-exchange", config, { make: randomExchange, pace: inOrder });
});

const guard = {
  rules: [
    {
      name: "order",
      match: { pathPrefix: "/shop" },
      maxBytes: 40,
      required: true,
      json: { maxMembers: 2, shape: { type: "object", properties: { a: { type: "integer" } } } },
    },
    { name: "trial", match: { path: "/health" }, dryRun: true, maxBytes: 40, json: { maxMembers: 2 } },
    { name: "rest", match: { path: "/other" }, maxBytes: 20 },
  ],
};

test("body-guard rejects, holds and counts in the host as in Envoy", async () => {
  await compareFilter("body-guard", guard, { make: randomBodies, options: { holdsHeaders: true } });
});

const redacted = {
  rules: [
    {
      name: "lenient",
      match: { path: "/other" },
      maxBytes: 20,
      onTooLarge: "pass",
      onMalformed: "pass",
      fields: [{ path: "a" }],
    },
    { name: "all", maxBytes: 40, fields: [{ path: "**.a" }, { path: "b", keepLast: 2 }] },
  ],
};

test("redact masks, denies and counts in the host as in Envoy", async () => {
  await compareFilter("redact", redacted, { make: randomBodies, options: { holdsHeaders: true } });
});

test("the host's README has what is not compared, with the reasons", async () => {
  const readme = await readFile(path.join(repository, "filters/testing/README.md"), "utf8");
  const rows = readme.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  for (const { what, because } of knownDifferences) {
    assert.ok(
      rows.some((cells) => cells[1] === what && cells[2] === because),
      `| ${what} | ${because} |`,
    );
  }
});

/** Compares a filter with the module that `npm run build` has made. */
async function compareFilter(
  name: string,
  configuration: unknown,
  {
    make = randomRequest,
    pace = patient,
    options = {},
  }: { make?: (choose: Choices, id: number) => Case; pace?: typeof patient; options?: ParityOptions } = {},
): Promise<void> {
  const wasm = await readFile(path.join(repository, `filters/${name}/build/${name}.wasm`));
  const config = JSON.stringify(configuration);
  const host = await startParityHost(wasm, name, config, options);
  const parity = await startParity(wasm, name, config, options);
  try {
    const choose = new Choices(seed);
    const played = Array.from({ length: Math.max(100, cases / 20) }, (_, index) => {
      const parityCase = make(choose, index + 1);
      return { parityCase, byHost: host.play(parityCase, headersOf(parityCase)) };
    });
    const got = await playAll(parity, played, pace);
    for (const { parityCase, byHost } of played) {
      const { id } = parityCase;
      assert.deepEqual(seen(byHost.client), seen(got.get(id)), JSON.stringify(parityCase.request));
      // Only the host reports a request that is cut off.
      assert.deepEqual(byHost.upstream?.complete ? seen(byHost.upstream) : undefined, seen(parity.upstreamOf(id)));
    }
    const counted = [...(await parity.envoy.stats("^wasmcustom"))].filter(([, value]) => value > 0);
    const byHost = Object.entries(host.host.metrics).map(([metric, value]) => [`wasmcustom.${metric}`, value]);
    assert.deepEqual(byHost.sort(), counted.sort());
    host.host.close();
  } finally {
    await parity.stop();
  }
}
