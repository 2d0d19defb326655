import { once } from "node:events";
import { startApp } from "../app/app.ts";
import { formatHostPort } from "../app/config.ts";
import {
  bootstrap,
  findEnvoy,
  type ListenAddress,
  type RunningEnvoy,
  startEnvoy,
  type XdsVariant,
} from "../envoy/index.ts";
import { checkAddresses } from "../serve/ports.ts";
import { startCompanion } from "./companion.ts";
import { onInterruption } from "./interruption.ts";
import { listenerAddresses } from "./listener-addresses.ts";
import { Started } from "./started.ts";
import { summary } from "./summary.ts";
import { unreachableUpstreams } from "./upstreams.ts";

export interface UpOptions {
  readonly config: readonly string[];
  readonly dataDir: string;
  readonly xdsListen: ListenAddress;
  readonly adminListen: ListenAddress;
  readonly envoyAdminListen: ListenAddress;
  /** Shell commands that run beside Envoy. */
  readonly run: readonly string[];
  /** Commands to suggest when everything is up. Empty: general ones. */
  readonly try: readonly string[];
  readonly variant: XdsVariant;
  readonly nodeId: string;
  readonly nodeCluster: string;
  /** The log level of the management server. */
  readonly logLevel: string;
  /** The admin API's bearer token. Absent: the admin API needs no token, and can only listen on loopback. */
  readonly adminToken?: string;
  /** Called with a line for each step. */
  readonly say: (line: string) => void;
}

/** Changed listeners close their connections within five seconds, because `up` is for trying things. */
const drain = ["--drain-time-s", "5", "--drain-strategy", "immediate"];
const upstreamsLimitMs = 5_000;

/**
 * Starts the management server, the companions and one Envoy, and runs them until Ctrl-C. Throws an error of one sentence when
 * a step fails or a part ends by itself. In every case, all started parts have ended when this returns.
 */
export async function runUp(options: UpOptions): Promise<void> {
  const ending = new AbortController();
  const interruption = onInterruption(() => ending.abort());
  let failure: unknown;
  const started = new Started((error) => {
    failure ??= error;
    ending.abort();
  });
  try {
    options.say(await bringUp(options, started, ending.signal));
    if (!ending.signal.aborted) await once(ending.signal, "abort");
  } catch (error) {
    // A failure that an interruption caused is not an error.
    if (!ending.signal.aborted) failure = error;
  }
  if (!started.isEmpty) options.say("Ending what was started ...");
  await started.stopAll();
  interruption.close();
  if (failure !== undefined) throw failure;
}

/** Starts one part after the other. Resolves to the summary for the user. */
async function bringUp(options: UpOptions, started: Started, signal: AbortSignal): Promise<string> {
  const { say, nodeId, nodeCluster, variant, adminToken } = options;
  await checkAddresses([
    { address: options.xdsListen, by: "the xDS server", change: "choose another with --xds-listen HOST:PORT" },
    { address: options.adminListen, by: "the admin API", change: "choose another with --admin-listen HOST:PORT" },
    {
      address: options.envoyAdminListen,
      by: "Envoy's admin",
      change: "choose another with --envoy-admin-listen HOST:PORT",
    },
  ]);
  const found = await findEnvoy({ say, signal });
  say(`Envoy ${found.version} from ${found.source}: ${found.path}`);

  say("Starting the management server");
  const app = await startApp({
    xdsListen: options.xdsListen,
    adminListen: options.adminListen,
    dataDir: options.dataDir,
    config: options.config,
    logLevel: options.logLevel,
    ...(adminToken === undefined ? {} : { adminToken }),
  });
  started.add({ name: "the management server", stop: () => app.close() });
  await checkAddresses(await listenerAddresses(app.admin, adminToken));

  for (const command of options.run) {
    signal.throwIfAborted();
    say(`Starting ${command}`);
    const companion = await startCompanion(command);
    started.add({ ...companion, name: `"${command}"` });
  }

  say("Starting Envoy");
  const envoy = await startEnvoy({
    envoy: found.path,
    bootstrap: bootstrap({
      variant,
      xds: app.xds,
      nodeId,
      cluster: nodeCluster,
      admin: options.envoyAdminListen,
      loadReports: true,
    }),
    args: drain,
    signal,
  });
  started.add({ name: "Envoy", exited: envoy.exited, recentOutput: () => envoy.recentLog(), stop: () => envoy.stop() });
  const listeners = await acceptedListeners(envoy);
  for (const { cluster, address } of await unreachableUpstreams(
    envoy,
    options.run.length > 0 ? upstreamsLimitMs : 0,
    signal,
  )) {
    say(`Nothing listens on ${formatHostPort(address)} yet, where cluster "${cluster}" sends requests`);
  }
  return summary({
    listeners,
    xds: app.xds,
    admin: app.admin,
    envoyAdmin: { host: envoy.adminHost, port: envoy.adminPort },
    try: options.try,
  });
}

async function acceptedListeners(envoy: RunningEnvoy): Promise<ReadonlyMap<string, ListenAddress>> {
  const accepted = new Map<string, ListenAddress>();
  for (const { name, address, rejection } of await envoy.dynamicListeners()) {
    if (rejection !== undefined) throw new Error(`Envoy rejects the listener "${name}": ${rejection}`);
    if (address !== undefined) accepted.set(name, address);
  }
  return accepted;
}
