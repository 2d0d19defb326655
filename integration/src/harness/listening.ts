import type { AddressInfo, Server } from "node:net";

/** A server that listens on a port of loopback. */
export interface Listening {
  readonly port: number;
  /** Closes the server and all its connections. */
  close(): void;
}

interface Connection {
  destroy(): void;
  on(event: string, listener: () => void): unknown;
}

/** Starts a server of HTTP, HTTP/2, TLS or TCP on a free port of loopback. */
export async function listen(server: Server): Promise<Listening> {
  const connections = new Set<Connection>();
  for (const event of ["connection", "secureConnection"]) {
    server.on(event, (connection: Connection) => {
      connections.add(connection);
      connection.on("error", () => {});
      connection.on("close", () => connections.delete(connection));
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const connection of connections) connection.destroy();
    },
  };
}
