import { formatHostPort } from "../app/config.ts";
import type { ListenAddress } from "../envoy/index.ts";
import type { NeededAddress } from "../serve/ports.ts";

interface ListenerDocument {
  readonly name: string;
  readonly spec: { readonly address?: string; readonly port: number; readonly nodeGroup?: string };
}

/**
 * Where Envoy is about to listen, as the admin API knows it: from files and from earlier changes. Envoy shares its ports
 * with any other Envoy of the same user (SO_REUSEPORT) and would not tell. Listeners of node groups may be meant for
 * other machines and are left out.
 */
export async function listenerAddresses(
  admin: ListenAddress,
  token: string | undefined,
): Promise<readonly NeededAddress[]> {
  const answer = await fetch(`http://${formatHostPort(admin)}/api/v1/listeners`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`The admin API answered ${answer.status} when asked for the listeners`);
  const { items } = (await answer.json()) as { items: readonly ListenerDocument[] };
  return items
    .filter(({ spec }) => spec.nodeGroup === undefined)
    .map(({ name, spec: { address = "127.0.0.1", port } }) => ({
      address: { host: address, port },
      by: `the listener "${name}"`,
      change: "change the port of that listener",
    }));
}
