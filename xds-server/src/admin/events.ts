import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { AdminDeps } from "./admin-deps.ts";
import { requestError } from "./problem-json.ts";
import { proxySummary } from "./proxies.ts";
import { queryOf } from "./query.ts";
import { revisionSummary } from "./revisions.ts";

/** How many clients may listen at once. */
const maxClients = 64;
/** Proxies change state several times within a push; a client hears of the last state only. */
const gatherMs = 50;
const heartbeatMs = 15_000;
/** A client that reads nothing for so many heartbeats is let go. */
const maxStalledBeats = 4;
/** How many missed revisions a client is told of; older ones it reads from the list. */
const maxMissedRevisions = 100;
/** How many proxies' states are asked for at once. */
const proxiesAtOnce = 100;

/**
 * `GET /api/v1/events`: server-sent events `revision` and `proxy`. A client that reads slowly skips states, it never
 * makes a queue: what is kept for it is the last revision that it was told of and the set of proxies that changed since.
 */
export function registerEvents(app: FastifyInstance, deps: AdminDeps): void {
  const clients = new Set<EventClient>();
  app.get(
    "/api/v1/events",
    { schema: { tags: ["events"], summary: "Follow revisions and proxy states (server-sent events)" } },
    (request, reply) => {
      queryOf(request, z.strictObject({}));
      if (clients.size >= maxClients) {
        throw requestError(429, "EVENTS_TOO_MANY_CLIENTS", `Cannot follow events: ${maxClients} clients do already`, {
          hint: "close one, or read /api/v1/revisions and /api/v1/proxies now and then",
        });
      }
      const lastId = /^\d{1,15}$/.exec(String(request.headers["last-event-id"] ?? ""))?.[0];
      reply.hijack();
      const client = followEvents(reply.raw, deps, lastId === undefined ? undefined : Number(lastId));
      clients.add(client);
      reply.raw.once("close", () => {
        clients.delete(client);
        client.close();
      });
    },
  );
  app.addHook("preClose", async () => {
    for (const client of clients) client.end();
  });
}

interface EventClient {
  /** Ends the response. */
  end(): void;
  /** Stops watching and the timers. */
  close(): void;
}

function followEvents(response: ServerResponse, deps: AdminDeps, lastId: number | undefined): EventClient {
  const { store, proxies, log } = deps;
  const changed = new Set<string>();
  // Without Last-Event-ID the newest revision alone is told, so that a client knows where it begins.
  let told = lastId ?? store.get().revision - 1;
  let gathering: NodeJS.Timeout | undefined;
  let isTelling = false;
  let stalledBeats = 0;

  const canTell = (): boolean => !response.writableNeedDrain && !response.destroyed;
  const flush = (): void => {
    gathering = undefined;
    if (isTelling || !canTell()) return;
    isTelling = true;
    tell()
      .catch((error: unknown) => {
        log.error({ err: error }, "a client that follows events is let go: what it follows cannot be read");
        response.destroy();
      })
      .finally(() => {
        isTelling = false;
      });
  };
  const tell = async (): Promise<void> => {
    do {
      await tellRevisions();
      await tellProxies();
    } while (canTell() && (told < store.get().revision || changed.size > 0));
  };
  const tellRevisions = async (): Promise<void> => {
    const { revision: newest } = store.get();
    const after = Math.max(told, newest - maxMissedRevisions);
    told = newest;
    if (newest <= after) return;
    const missed = await store.revisions({ limit: newest - after, before: newest + 1 });
    for (const revision of missed.toReversed()) {
      if (revision.revision > after) response.write(event("revision", revisionSummary(revision), revision.revision));
    }
  };
  const tellProxies = async (): Promise<void> => {
    while (changed.size > 0 && canTell()) {
      const page = [...changed].slice(0, proxiesAtOnce);
      // Before they are asked for: what changes from now on is told again.
      for (const nodeId of page) changed.delete(nodeId);
      const known = await proxies.some(page);
      for (const nodeId of page) {
        const proxy = known.get(nodeId);
        if (response.writableNeedDrain) changed.add(nodeId);
        else
          response.write(event("proxy", proxy === undefined ? { nodeId, state: "disconnected" } : proxySummary(proxy)));
      }
    }
  };
  const begin = async (): Promise<void> => {
    for (const nodeId of await proxies.ids()) changed.add(nodeId);
    flush();
  };
  const gather = (): void => {
    gathering ??= setTimeout(flush, gatherMs);
  };

  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  // A client learns that it follows even while there is nothing to tell.
  response.flushHeaders();
  const unwatch = [
    store.watch(gather),
    proxies.watch((nodeId) => {
      changed.add(nodeId);
      gather();
    }),
  ];
  response.on("drain", flush);
  const heartbeat = setInterval(() => {
    stalledBeats = response.writableNeedDrain ? stalledBeats + 1 : 0;
    if (stalledBeats === 0) response.write(": still here\n\n");
    else if (stalledBeats >= maxStalledBeats) response.destroy();
  }, heartbeatMs);
  begin().catch((error: unknown) => response.destroy(error as Error));

  return {
    end: () => void response.end(),
    close() {
      clearInterval(heartbeat);
      clearTimeout(gathering);
      for (const stop of unwatch) stop();
    },
  };
}

function event(name: string, data: unknown, id?: number): string {
  const head = id === undefined ? "" : `id: ${id}\n`;
  return `${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
