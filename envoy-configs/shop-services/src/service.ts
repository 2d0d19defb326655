import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { goods } from "./goods.ts";

export interface ServiceOptions {
  /** "cart", or "cart-v2" for its second version. */
  readonly name: string;
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
}

export interface RunningService {
  readonly port: number;
  /** Accepts no new connections, and resolves when the open requests have ended. */
  close(): Promise<void>;
}

/** A small HTTP service of the sample shop. It answers every request with its name and version. */
export async function startService({ name, host, port }: ServiceOptions): Promise<RunningService> {
  const server = createServer(answering(name));
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

function answering(name: string): RequestListener {
  const [, service = name, version = "v1"] = /^(.+)-(v\d+)$/.exec(name) ?? [];
  return ({ method, url }, response) => {
    const healthCheck = url === "/healthz";
    const body = healthCheck
      ? { status: "ok" }
      : { service, version, method, path: url, goods: goods(service, version) };
    response.setHeader("content-type", "application/json").end(`${JSON.stringify(body)}\n`);
  };
}
