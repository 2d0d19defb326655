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
  let heard = session.socket.bytesRead;
  let timer = setTimeout(look, keepAliveMs);

  /** True when bytes have come since this was asked last. */
  function hasSpoken(): boolean {
    const before = heard;
    heard = session.socket.bytesRead;
    return heard !== before;
  }
  function lookLater(): void {
    clearTimeout(timer);
    timer = setTimeout(look, keepAliveMs);
  }
  function look(): void {
    // Between its end and its "close" a session has no socket any more.
    if (session.destroyed) return;
    if (calls === 0 && performance.now() - idleSince >= idleConnectionMs) session.close();
    else if (hasSpoken()) lookLater();
    else ask();
  }
  function ask(): void {
    session.ping((error) => {
      if (error === null) lookLater();
    });
    // Any byte is a heartbeat: the answer itself may stand behind a large response on a slow line.
    timer = setTimeout(() => {
      if (session.destroyed) return;
      if (hasSpoken()) lookLater();
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
