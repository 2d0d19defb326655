import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { eventually } from "../harness/eventually.ts";

import { repository, serve } from "../harness/server-process.ts";
import type { LoopDelay } from "./loop-delay.ts";
import { builtYardstick } from "./yardstick.ts";

/** Measures a server with thousands of streams: time to sync, memory and event-loop delay. See bench/README.md. */
const { values } = parseArgs({
  options: {
    yardstick: { type: "string" },
    streams: { type: "string", default: "10000" },
    clusters: { type: "string", default: "100" },
    mode: { type: "string", default: "delta" },
  },
});
const bin = path.join(builtYardstick(values.yardstick), "bin");
const folder = mkdtempSync(path.join(tmpdir(), "chancery-many-streams-"));
const [resources, triggers, out, delays] = ["resources", "triggers", "out", "delays"].map((name) =>
  path.join(folder, `${name}.json`),
) as [string, string, string, string];
process.env["CHANCERY_LOOP_DELAY"] = delays;
process.env["NODE_OPTIONS"] =
  `--import=${pathToFileURL(path.join(repository, "integration/dist/bench/loop-delay.js"))}`;
const server = await serve({ dataDir: path.join(folder, "data"), args: ["--log-level", "warn"] });
execFileSync(path.join(bin, "gcp-ref"), ["--clusters", values.clusters, "--endpoints", "10", "--dump-json", resources]);
const mesh = path.join(repository, "integration/dist/bench/xds-load-mesh.js");
execFileSync(process.execPath, [mesh, resources, server.admin], { stdio: "inherit" });

const adapter = readFileSync(path.join(repository, "integration/bench/xds-load.json"), "utf8");
const filled = JSON.parse(adapter.replaceAll("127.0.0.1:{admin_port}", server.admin));
writeFileSync(triggers, JSON.stringify([{ ...filled.triggers.endpoint, kind: "endpoint" }]));

/**
 * The event-loop delay while the streams sync, and during updates. It is sampled while all streams are open. Each sample
 * includes a scrape of /metrics.
 */
const delay: { sync?: LoopDelay; updates?: LoopDelay } = {};
async function sample(): Promise<void> {
  const seen = await readDelay();
  const text = await (await fetch(`http://${server.admin}/metrics`)).text();
  const counts = text.matchAll(/^chancery_streams\{.*\} (\d+)$/gm);
  const streams = [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  if (streams < Number(values.streams)) return;
  if (delay.sync !== undefined) delay.updates = seen;
  else if (/^chancery_proxies\{.*state="pending".*\} 0$/m.test(text)) {
    delay.sync = seen;
    process.kill(server.pid, "SIGUSR1");
  }
}
async function readDelay(): Promise<LoopDelay> {
  rmSync(delays, { force: true });
  process.kill(server.pid, "SIGUSR2");
  await eventually(() => existsSync(delays), "the server's event-loop delay");
  return JSON.parse(readFileSync(delays, "utf8"));
}

process.kill(server.pid, "SIGUSR1");
const load = spawn(
  path.join(bin, "xds-load"),
  [
    "--addr",
    server.xds,
    "--streams",
    values.streams,
    "--mode",
    values.mode,
    "--expect-clusters",
    values.clusters,
  ].concat(["--updates", "20", "--server-pid", String(server.pid), "--triggers", triggers, "--out", out]),
  { stdio: "inherit" },
);
const ended = new Promise((resolve) => load.once("close", resolve));
while (load.exitCode === null) {
  await sample();
  await Promise.race([ended, pause(300)]);
}
await server.stop();

const { initial_sync: sync, initial_sync_phase: phase, kinds } = JSON.parse(readFileSync(out, "utf8"));
const [{ median_over_updates: update, server_cpu_ms_per_update: cpu, phase: last }] = kinds;
const ms = (time: number): string => time.toFixed(0);
const both = (delay: LoopDelay | undefined): string => (delay ? `${ms(delay.p99)}, ${ms(delay.max)}` : "not seen");
const cells = [
  ["streams", values.streams],
  ["all synced after ms", ms(sync.last_ms)],
  ["server CPU until then, ms", ms(phase.server_cpu_ms)],
  ["an update reaches half of them after ms", ms(update.p50_ms)],
  ["all of them after ms", ms(update.last_ms)],
  ["server CPU an update, ms", ms(cpu)],
  ["event-loop delay while they sync, p99 and maximum, ms", both(delay.sync)],
  ["event-loop delay during updates, p99 and maximum, ms", both(delay.updates)],
  ["timer samples during updates", String(delay.updates?.samples ?? 0)],
  ["peak memory MiB", ms(last.server_peak_mib)],
];
process.stdout.write(`${cells.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}\n`);
rmSync(folder, { recursive: true });
