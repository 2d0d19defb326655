import type { ServerHttp2Session } from "node:http2";
import type { TransportLimits } from "./limits.ts";

type ConnectionLimits = Pick<TransportLimits, "idleConnectionMs" | "keepAliveMs" | "keepAliveTimeoutMs">;

/** A connection, as far as its calls are concerned. */
export interface Connection {
  callOpened(): void;
  callClosed(): void;
}

/** Closes a connection when its other side does not answer any more, or when it has been without a call for long. */
export function watchConnection(session: ServerHttp2Session, limits: ConnectionLimits): Connection {
  const { idleConnectionMs, keepAliveMs, keepAliveTimeoutMs } = limits;
  let calls = 0;
  let idleSince = performance.now();
  let bytesSeen = session.socket.bytesRead;
  let timer = setTimeout(check, keepAliveMs);

  /** True when bytes have come since this was asked last. */
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
    // Between its end and its "close" a session has no socket any more.
    if (session.destroyed) return;
    if (calls === 0 && performance.now() - idleSince >= idleConnectionMs) session.close();
    else if (hasReceived()) checkLater();
    else ping();
  }
  function ping(): void {
    session.ping((error) => {
      if (error === null) checkLater();
    });
    // Any byte is a heartbeat: the answer itself may stand behind a large response on a slow line.
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
