import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { AdminDeps } from "./admin-deps.ts";
import { requestError } from "./problem-json.ts";
import { proxySummary } from "./proxies.ts";
import { queryOf } from "./query.ts";
import { revisionSummary } from "./revisions.ts";

/** The maximum number of clients that follow events at once. */
const maxClients = 64;
/** How long changes are collected. A proxy changes its state several times during a push; clients receive the last one. */
const gatherMs = 50;
const heartbeatMs = 15_000;
/** A client that reads nothing for this number of heartbeats is disconnected. */
const maxStalledBeats = 4;
/** The maximum number of missed revisions that a client receives. It can read older ones from the list of revisions. */
const maxMissedRevisions = 100;
/** The maximum number of proxies whose state is read together. */
const proxiesAtOnce = 100;

/**
 * `GET /api/v1/events`: server-sent events `revision` and `proxy`. A client that reads slowly skips states. The server
 * keeps no queue for it, only the last revision that was sent to it and the set of proxies that have changed since.
 */
export function registerEvents(app: FastifyInstance, deps: AdminDeps): void {
  const clients = new Set<EventClient>();
  app.get(
    "/api/v1/events",
    { schema: { tags: ["events"], summary: "Follow revisions and proxy states (server-sent events)" } },
    (request, reply) => {
      queryOf(request, z.strictObject({}));
      if (clients.size >= maxClients) {
        throw requestError(
          429,
          "EVENTS_TOO_MANY_CLIENTS",
          `Cannot follow events: ${maxClients} clients already follow them`,
          {
            hint: "disconnect one of them, or poll /api/v1/revisions and /api/v1/proxies",
          },
        );
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
  // Without Last-Event-ID a client receives the newest revision first, so that it knows where it begins.
  let lastRevision = lastId ?? store.get().revision - 1;
  let gathering: NodeJS.Timeout | undefined;
  let isSending = false;
  let stalledBeats = 0;

  const canSend = (): boolean => !response.writableNeedDrain && !response.destroyed;
  const flush = (): void => {
    gathering = undefined;
    if (isSending || !canSend()) return;
    isSending = true;
    sendChanges()
      .catch((error: unknown) => {
        log.error({ err: error }, "cannot read the events for a client; the client is disconnected");
        response.destroy();
      })
      .finally(() => {
        isSending = false;
      });
  };
  const sendChanges = async (): Promise<void> => {
    do {
      await sendRevisions();
      await sendProxies();
    } while (canSend() && (lastRevision < store.get().revision || changed.size > 0));
  };
  const sendRevisions = async (): Promise<void> => {
    const { revision: newest } = store.get();
    const after = Math.max(lastRevision, newest - maxMissedRevisions);
    lastRevision = newest;
    if (newest <= after) return;
    const missed = await store.revisions({ limit: newest - after, before: newest + 1 });
    for (const revision of missed.toReversed()) {
      if (revision.revision > after) response.write(event("revision", revisionSummary(revision), revision.revision));
    }
  };
  const sendProxies = async (): Promise<void> => {
    while (changed.size > 0 && canSend()) {
      const page = [...changed].slice(0, proxiesAtOnce);
      // They are deleted before they are read, so that a change during the read is sent again.
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
  // The client sees that the request succeeded, even when there is no event yet.
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
    if (stalledBeats === 0) response.write(": heartbeat\n\n");
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
