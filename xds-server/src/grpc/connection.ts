import type { ServerHttp2Session } from "node:http2";
import type { TransportLimits } from "./limits.ts";

type ConnectionLimits = Pick<TransportLimits, "idleConnectionMs" | "keepAliveMs" | "keepAliveTimeoutMs">;

/** Counts the open calls of a connection. */
export interface Connection {
  callOpened(): void;
  callClosed(): void;
}

/** Closes a connection when the client does not answer a ping, or when the connection has no call for `idleConnectionMs`. */
export function watchConnection(session: ServerHttp2Session, limits: ConnectionLimits): Connection {
  const { idleConnectionMs, keepAliveMs, keepAliveTimeoutMs } = limits;
  let calls = 0;
  let idleSince = performance.now();
  let bytesSeen = session.socket.bytesRead;
  let timer = setTimeout(check, keepAliveMs);

  /** Whether bytes have arrived since the last call of this function. */
  function hasReceived(): boolean {
    const before = bytesSeen;
    bytesSeen = session.socket.bytesRead;
    return bytesSeen !== before;
  }
  function checkLater(): void {
    clearTimeout(timer);
    timer = setTimeout(check, keepAliveMs);
  }
  function check(): void {
    // A destroyed session has no socket, even before its "close" event.
    if (session.destroyed) return;
    if (calls === 0 && performance.now() - idleSince >= idleConnectionMs) session.close();
    else if (hasReceived()) checkLater();
    else ping();
  }
  function ping(): void {
    session.ping((error) => {
      if (error === null) checkLater();
    });
    // Any received byte counts: on a slow line the answer to the ping can be behind a large message.
    timer = setTimeout(() => {
      if (session.destroyed) return;
      if (hasReceived()) checkLater();
      else session.destroy();
    }, keepAliveTimeoutMs);
  }
  session.once("close", () => clearTimeout(timer));
  return {
    callOpened() {
      calls += 1;
    },
    callClosed() {
      calls -= 1;
      idleSince = performance.now();
    },
  };
}
