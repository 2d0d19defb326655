import { createServer } from "node:net";
import { formatHostPort } from "../app/config.ts";
import type { ListenAddress } from "../envoy/index.ts";

/** An address that a part will listen on. */
export interface NeededAddress {
  readonly address: ListenAddress;
  /** The part that needs it: "the admin API". */
  readonly by: string;
  /** How to use another address: "choose another with --admin-listen HOST:PORT". */
  readonly change: string;
}

/** Throws an error of one sentence for the first address that cannot be used. Port 0 is always free. */
export async function checkAddresses(needed: readonly NeededAddress[]): Promise<void> {
  for (const { address, by, change } of needed) {
    const failure = await listenFailure(address);
    if (failure === undefined) continue;
    const where = formatHostPort(address);
    if (failure === "EADDRINUSE") {
      throw new Error(
        `Port ${address.port} (${where}) is in use, and ${by} needs it: stop the program that uses it, or ${change}`,
      );
    }
    throw new Error(`Cannot listen on ${where} (${failure}), which ${by} needs: ${change}`);
  }
}

function listenFailure({ host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
