import { performance } from "node:perf_hooks";
import { loadFilter } from "./index.ts";

/**
 * Measures how long a test case takes: `node filters/testing/dist/case-time.js MODULE CONFIG.json`. It loads a filter,
 * sends one request and closes it, as a test does. Then it sends many requests to one loaded filter.
 */
const [module, configFile] = process.argv.slice(2);
if (module === undefined) throw new Error("name a module, and the file of its configuration if it needs one");
const config = configFile === undefined ? undefined : await import(`file://${configFile}`, { with: { type: "json" } });
const options = config === undefined ? {} : { config: config.default };

const rounds = 200;
const cases: number[] = [];
for (let round = 0; round < rounds; round++) {
  const began = performance.now();
  using host = await loadFilter(module, options);
  await host.request({ path: "/", headers: { "user-agent": "case-time" } });
  cases.push(performance.now() - began);
}

using host = await loadFilter(module, options);
const requests = 20_000;
const began = performance.now();
for (let request = 0; request < requests; request++) await host.request({ path: "/" });
const perRequest = (performance.now() - began) / requests;

cases.sort((left, right) => left - right);
const at = (share: number) => (cases[Math.floor(rounds * share)] ?? Number.NaN).toFixed(2);
process.stdout.write(
  `a case: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms; a request to a loaded filter: ${(perRequest * 1000).toFixed(0)} us\n`,
);
