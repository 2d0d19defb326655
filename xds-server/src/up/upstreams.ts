import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ListenAddress, RunningEnvoy } from "../envoy/index.ts";

const pollMs = 20;
const connectLimitMs = 1_000;

interface Upstream {
  readonly cluster: string;
  readonly address: ListenAddress;
}

/**
 * Waits up to `limitMs` until something listens on each upstream address of Envoy on this machine. Returns the addresses on
 * which nothing listens.
 */
export async function unreachableUpstreams(
  envoy: RunningEnvoy,
  limitMs: number,
  signal: AbortSignal,
): Promise<readonly Upstream[]> {
  const deadline = Date.now() + limitMs;
  let unreachable = await loopbackUpstreams(envoy);
  for (;;) {
    const answers = await Promise.all(unreachable.map(({ address }) => isListening(address)));
    unreachable = unreachable.filter((_, index) => answers[index] !== true);
    if (unreachable.length === 0 || Date.now() > deadline) return unreachable;
    await delay(pollMs, undefined, { signal });
  }
}

async function loopbackUpstreams(envoy: RunningEnvoy): Promise<readonly Upstream[]> {
  const { cluster_statuses: clusters = [] } = JSON.parse(await envoy.admin("/clusters?format=json")) as {
    cluster_statuses?: {
      name: string;
      host_statuses?: { address: { socket_address?: { address: string; port_value: number } } }[];
    }[];
  };
  const upstreams: Upstream[] = [];
  for (const { name, host_statuses: hosts = [] } of clusters) {
    for (const { address } of hosts) {
      const socket = address.socket_address;
      if (socket === undefined || !/^(127\.|::1$)/.test(socket.address)) continue;
      upstreams.push({ cluster: name, address: { host: socket.address, port: socket.port_value } });
    }
  }
  return upstreams;
}

function isListening({ host, port }: ListenAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectLimitMs });
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", () => answer(true));
    socket.once("timeout", () => answer(false)).once("error", () => answer(false));
  });
}
