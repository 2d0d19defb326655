import assert from "node:assert/strict";
import { test } from "node:test";
import { benchFilters } from "@chancery/xds-server/filter-bench";
import { builtFilter } from "../harness/built-filter.ts";

const deny = { default: { action: "allow" }, rules: [{ name: "no", match: { pathPrefix: "/no" }, action: "deny" }] };

test("several filters are measured in one Envoy, each with its own request, answer and clusters", async () => {
  const { name, wasmPath } = await builtFilter("filters/request-policy");
  const answer = { status: 201, headers: { "x-answer": "1" }, body: "made" };
  const filters = [
    { name, wasmPath, config: deny, request: { path: "/no", headers: [] } },
    {
      name: "telemetry",
      wasmPath: (await builtFilter("filters/request-telemetry")).wasmPath,
      request: { method: "PUT", path: "/", headers: ["x-key: 1"] },
      body: "x".repeat(3000),
      answer,
      clusters: { auth: answer },
    },
  ];
  const [rejected, measured] = await benchFilters(filters, { rounds: 1, roundMs: 50 });
  assert.deepEqual(Object.keys(rejected?.statuses ?? {}), ["403"]);
  assert.deepEqual(Object.keys(measured?.statuses ?? {}), ["201"]);
  assert.ok((measured?.requests ?? 0) > 0);
  assert.ok((measured?.without.median ?? 0) > 0);
});
