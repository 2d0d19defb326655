import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { differences as knownDifferences } from "./parity-differences.ts";
import { startParity } from "./parity-envoy.ts";
import { startParityHost } from "./parity-host.ts";
import { compareProbe, headersOf, patient, playAll, seen } from "./parity-run.ts";
import type { Case } from "./parity-scripts.ts";
import { randomNumbers } from "./random-numbers.ts";

// The host in Node against a real Envoy: the same modules, the same requests, the same upstream. How many, and from
// which seed, can be said: CHANCERY_PARITY_CASES=10000 CHANCERY_PARITY_SEED=7. Every case can be played again from its
// seed and number. What is left out of the comparison is in parity-differences.ts, each with its reason.

const cases = Number(process.env["CHANCERY_PARITY_CASES"] ?? 300);
const seed = Number(process.env["CHANCERY_PARITY_SEED"] ?? 1);

test(`${cases} random scripts of host calls see in the host what they see in Envoy`, async (t) => {
  const { undefinedCases, callbacks, calls, races, differences } = await compareProbe(seed, cases);
  t.diagnostic(`${callbacks} callbacks with ${calls} host calls; ${undefinedCases} not defined, ${races} raced`);
  const told = differences.slice(0, 5).map(({ parityCase, about, envoy, host }) => {
    return `case ${parityCase.id}, ${about}\n  envoy ${JSON.stringify(envoy)}\n  host  ${JSON.stringify(host)}`;
  });
  assert.equal(differences.length, 0, told.join("\n"));
  assert.ok(calls > cases, "the scripts call the host");
  assert.ok(undefinedCases < cases / 5, "most scripts are defined");
});

const policy = {
  default: { action: "deny", status: 404, reason: "not offered" },
  rules: [
    { name: "no-debug", match: { headers: [{ name: "X-Debug", present: true }] }, action: "deny", reason: "no" },
    { name: "admin", match: { pathPrefix: "/admin/" }, action: "deny", status: 401 },
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
  await compareFilter("request-telemetry", {});
});

test("what is not compared is in the host's README, with its reason", async () => {
  const readme = await readFile(new URL("../../filters/testing/README.md", import.meta.url), "utf8");
  const rows = readme.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  for (const { what, because } of knownDifferences) {
    assert.ok(
      rows.some((cells) => cells[1] === what && cells[2] === because),
      `| ${what} | ${because} |`,
    );
  }
});

/** With the module that `npm run build` has made. */
async function compareFilter(name: string, configuration: unknown): Promise<void> {
  const wasm = await readFile(new URL(`../../filters/${name}/build/${name}.wasm`, import.meta.url));
  const config = JSON.stringify(configuration);
  const host = await startParityHost(wasm, name, config);
  const parity = await startParity(wasm, name, config);
  try {
    const random = randomNumbers(seed);
    const played = Array.from({ length: Math.max(100, cases / 20) }, (_, index) => {
      const parityCase = randomRequest(random, index + 1);
      return { parityCase, byHost: host.play(parityCase, headersOf(parityCase)) };
    });
    const got = await playAll(parity, played, patient);
    for (const { parityCase, byHost } of played) {
      const { id } = parityCase;
      assert.deepEqual(seen(byHost.client), seen(got.get(id)), JSON.stringify(parityCase.request));
      assert.deepEqual(byHost.upstream && seen(byHost.upstream), seen(parity.upstreamOf(id)));
    }
    const counted = [...(await parity.envoy.stats("^wasmcustom"))].filter(([, value]) => value > 0);
    const byHost = Object.entries(host.host.metrics).map(([metric, value]) => [`wasmcustom.${metric}`, value]);
    assert.deepEqual(byHost.sort(), counted.sort());
    host.host.close();
  } finally {
    await parity.stop();
  }
}

/** A request that the shipped filters have something to say about. */
function randomRequest(random: () => number, id: number): Case {
  const one = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;
  const maybe = (name: string, values: readonly string[]) => (random() < 0.3 ? [[name, one(values)] as const] : []);
  const chunks = one([[], [], ["hello"], ["one", "two"]]);
  const headers = [
    [":authority", "localhost"],
    [":path", one(["/health", "/health?deep=1", "/shop/cart", "/shop", "/admin/users", "/other", "/"])],
    [":method", one(["GET", "HEAD", "POST", "DELETE"])],
    [":scheme", "http"],
    ...maybe("x-debug", ["", "1"]),
    ...maybe("x-api-key", ["sésame", "sesame"]),
    ...maybe("user-agent", ["bot/1", "curl"]),
  ] as const;
  const status = one([200, 302, 404, 500]);
  const answer = { headers: [["x-answer", "1"]] as const, chunks: ["served"], trailers: undefined };
  const request = { headers, chunks, trailers: undefined };
  return { id, script: {}, request, response: { ...answer, status }, callAnswer: { ...answer, status } };
}
