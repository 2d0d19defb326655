import { formatHostPort } from "../app/config.ts";
import type { ListenAddress } from "../envoy/index.ts";
import type { NeededAddress } from "../serve/ports.ts";

interface ListenerDocument {
  readonly name: string;
  readonly spec: { readonly address?: string; readonly port: number; readonly nodeGroup?: string };
}

/**
 * The addresses that Envoy will listen on, from the admin API: from files and from earlier changes. They must be checked
 * before, because Envoy shares its ports with other Envoys of the same user (SO_REUSEPORT) and reports no conflict. Listeners
 * of node groups are left out, because they may be for other machines.
 */
export async function listenerAddresses(
  admin: ListenAddress,
  token: string | undefined,
): Promise<readonly NeededAddress[]> {
  const answer = await fetch(`http://${formatHostPort(admin)}/api/v1/listeners`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`The admin API answered ${answer.status} to the request for the listeners`);
  const { items } = (await answer.json()) as { items: readonly ListenerDocument[] };
  return items
    .filter(({ spec }) => spec.nodeGroup === undefined)
    .map(({ name, spec: { address = "127.0.0.1", port } }) => ({
      address: { host: address, port },
      by: `the listener "${name}"`,
      change: "change the port of that listener",
    }));
}
