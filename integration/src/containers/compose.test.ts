import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { bootstrap } from "@chancery/xds-server/envoy";
import { parse } from "yaml";
import { findCompose, findContainerEngine, runHealthChecks } from "../harness/container-engine.ts";
import { eventually } from "../harness/eventually.ts";
import { repository } from "../harness/server-process.ts";
import { ComposeProject } from "./compose-project.ts";

const buildLimitMs = 15 * 60_000;
const upLimitMs = 3 * 60_000;
const downLimitMs = 2 * 60_000;
const answerLimitMs = 30_000;

const engine = await findContainerEngine();
const compose = "missing" in engine ? engine : await findCompose();

test("the bootstrap for Compose is the one for delta ADS with another address", () => {
  const file = readFileSync(path.join(repository, "envoy-configs/shop-compose/bootstrap.yaml"), "utf8");
  const { node: _, ...expected } = bootstrap({
    variant: "delta",
    xds: { host: "xds-server", port: 18000 },
    admin: { host: "127.0.0.1", port: 9901 },
    nodeId: "edge-1",
    cluster: "edge",
  });
  assert.deepEqual(parse(file), expected);
});

const skip = "missing" in compose ? compose.missing : false;
if (skip) process.stderr.write(`docker-compose.yml is not tested: ${skip}\n`);

test("docker compose up: the running containers follow changed routes and a pushed filter", {
  skip,
  timeout: buildLimitMs + upLimitMs + downLimitMs,
}, async (t) => {
  if ("missing" in engine || "missing" in compose) return;
  const name = `chancery-test-${process.pid}`;
  const project = new ComposeProject({
    compose: compose.found,
    name,
    directory: repository,
    env: {
      // The engine chooses free ports.
      CHANCERY_EDGE_PORT: "0",
      CHANCERY_ADMIN_PORT: "0",
      // Podman has no BuildKit, which would build stages that images share only once.
      ...(engine.found.isPodman ? { DOCKER_BUILDKIT: "0", COMPOSE_PARALLEL_LIMIT: "1" } : {}),
    },
  });
  const ended = new AbortController();
  const healthChecks = engine.found.isPodman ? runHealthChecks(engine.found, name, ended.signal) : undefined;
  t.after(async () => {
    await project.run(["down", "--volumes", "--rmi", "local", "--timeout", "5"], { limitMs: downLimitMs });
    ended.abort();
    await healthChecks;
  });

  try {
    await project.run(["build", "--quiet"], { limitMs: buildLimitMs });
    await project.run(["up", "--detach", "--wait"], { limitMs: upLimitMs });
    const edge = await project.origin("envoy", 10000);
    await answers(edge, ["v1"], 10);
    await moveHalfOfTheTraffic(project, edge);
    await moveAllOfTheTraffic(project, edge);
    await loadFilter(project, edge);
    await showStatus(project);
  } catch (error) {
    t.diagnostic(await project.run(["logs", "--no-color", "--tail", "60"]).catch(String));
    throw error;
  }
});

/** Uses the command line, inside the server's container. */
async function moveHalfOfTheTraffic(project: ComposeProject, edge: string): Promise<void> {
  await project.exec("xds-server", ["chancery", "apply", "-f", "envoy-configs/examples/weights.yaml"]);
  await answers(edge, ["v1", "v2"], 40);
}

/** Uses the admin API, from outside. */
async function moveAllOfTheTraffic(project: ComposeProject, edge: string): Promise<void> {
  const admin = await project.origin("xds-server", 18001);
  const token = (await project.exec("xds-server", ["cat", "/var/lib/chancery/admin-token"])).trim();
  const route = { hosts: ["*"], routes: [{ match: { prefix: "/cart" }, cluster: "cart-v2" }] };
  const put = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${admin}/api/v1/routes/shop`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ spec: route }),
    });
  assert.equal((await put({})).status, 401);
  const answer = await put({ authorization: `Bearer ${token}` });
  assert.equal(answer.status, 200, await answer.text());
  await answers(edge, ["v2"], 20);
}

async function loadFilter(project: ComposeProject, edge: string): Promise<void> {
  const policy = {
    default: { action: "allow" },
    rules: [{ name: "no-delete", match: { methods: ["DELETE"] }, action: "deny", reason: "nothing is deleted here" }],
  };
  await project.exec("xds-server", ["sh", "-c", "cat > /tmp/policy.json"], JSON.stringify(policy));
  const push = ["chancery", "filter", "push", "filters/request-policy", "--to", "shop-edge"];
  await project.exec("xds-server", [...push, "--config", "/tmp/policy.json"]);
  const rejected = await fetch(`${edge}/cart`, { method: "DELETE" });
  assert.equal(rejected.status, 403);
  assert.match(await rejected.text(), /nothing is deleted here/);
  assert.equal((await fetch(`${edge}/cart`)).status, 200);
}

async function showStatus(project: ComposeProject): Promise<void> {
  const { items } = JSON.parse(await project.exec("xds-server", ["chancery", "status", "-o", "json"])) as {
    items: { nodeId: string; state: string }[];
  };
  const shown = items.map(({ nodeId, state }) => ({ nodeId, state }));
  assert.deepEqual(shown, [{ nodeId: "edge-1", state: "synced" }]);
}

/** Waits until the given number of requests is answered by all of these versions of the cart and no other. */
function answers(edge: string, wanted: readonly string[], requests: number): Promise<void> {
  const holds = async () => assert.deepEqual(await versions(edge, requests), wanted);
  return eventually(holds, `answers of ${wanted.join(" and ")}`, answerLimitMs);
}

/** The versions of the cart that answer the given number of requests, sorted. */
async function versions(edge: string, requests: number): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (let sent = 0; sent < requests; sent++) {
    const answer = await fetch(`${edge}/cart`);
    seen.add(answer.ok ? ((await answer.json()) as { version: string }).version : String(answer.status));
  }
  return [...seen].sort();
}
