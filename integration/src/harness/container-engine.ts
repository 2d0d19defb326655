import { execFile } from "node:child_process";
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** A container engine of this machine that speaks Docker's API. */
export interface ContainerEngine {
  readonly isPodman: boolean;
  /** Sends a GET request to the engine's API and parses the JSON response. Throws unless the status is 200. */
  get(path: string): Promise<unknown>;
}

/** Something that tests need, or why this machine lacks it. Tests that need it are then skipped with that reason. */
export type Found<T> = { readonly found: T } | { readonly missing: string };

const defaultHost = "unix:///var/run/docker.sock";
const requestLimitMs = 10_000;

/** The engine that DOCKER_HOST names, or the one on Docker's usual socket. */
export async function findContainerEngine(env: NodeJS.ProcessEnv = process.env): Promise<Found<ContainerEngine>> {
  const host = env["DOCKER_HOST"] || defaultHost;
  const get = (path: string): Promise<unknown> => getJson(host, path);
  try {
    const { Components } = (await get("/version")) as { Components?: readonly { readonly Name: string }[] };
    return { found: { isPodman: Components?.some(({ Name }) => Name === "Podman Engine") ?? false, get } };
  } catch (error) {
    return { missing: `no container engine answers on ${host} (${(error as Error).message})` };
  }
}

/** Finds the command of Docker Compose, such as ["docker", "compose"]: $DOCKER_COMPOSE, Docker's plugin, or docker-compose. */
export async function findCompose(
  env: NodeJS.ProcessEnv = process.env,
): Promise<Found<readonly [string, ...string[]]>> {
  const named = env["DOCKER_COMPOSE"];
  const candidates: readonly [string, ...string[]][] = named ? [[named]] : [["docker", "compose"], ["docker-compose"]];
  for (const command of candidates) {
    const [program, ...args] = command;
    const version = await promisify(execFile)(program, [...args, "version", "--short"]).catch(() => undefined);
    // Docker Compose 1 is another program with other rules.
    if (version !== undefined && !/^v?1\./.test(version.stdout)) return { found: command };
  }
  if (named)
    throw new Error(`Cannot run "${named}", which DOCKER_COMPOSE names: it should be Docker Compose 2 or newer`);
  return { missing: "Docker Compose 2 is neither a plugin of docker nor on the PATH as docker-compose" };
}

/**
 * Runs the health checks of a Compose project's containers until aborted. Podman leaves them to timers of systemd. On a
 * machine without systemd they would not run, and a wait for a healthy container would never end.
 */
export async function runHealthChecks(engine: ContainerEngine, project: string, signal: AbortSignal): Promise<void> {
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`], status: ["running"] });
  while (!signal.aborted) {
    try {
      const path = `/v4.0.0/libpod/containers/json?filters=${encodeURIComponent(filters)}`;
      const containers = (await engine.get(path)) as readonly { readonly Id: string }[] | null;
      for (const { Id } of containers ?? []) await engine.get(`/v4.0.0/libpod/containers/${Id}/healthcheck`);
    } catch {
      // A container may end between the two requests. Compose reports the containers that stay unhealthy.
    }
    await delay(500, undefined, { signal }).catch(() => undefined);
  }
}

function getJson(host: string, path: string): Promise<unknown> {
  const { protocol, pathname, hostname, port } = new URL(host);
  const target = protocol === "unix:" ? { socketPath: pathname } : { hostname, port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...target, path, headers: { host: "engine" }, timeout: requestLimitMs }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      answer.on("error", reject).on("end", () => {
        if (answer.statusCode !== 200) reject(new Error(`${path} answered ${answer.statusCode}`));
        else resolve(JSON.parse(body));
      });
    });
    sent.on("error", reject).on("timeout", () => sent.destroy(new Error("no answer in time")));
    sent.end();
  });
}
