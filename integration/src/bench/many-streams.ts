import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { repository, serve } from "../server-process.ts";
import { builtYardstick } from "./yardstick.ts";

/** Thousands of streams on one server: time to sync, memory, and how long its event loop is held. See bench/README.md. */
const { values } = parseArgs({
  options: {
    yardstick: { type: "string" },
    streams: { type: "string", default: "10000" },
    clusters: { type: "string", default: "10" },
    mode: { type: "string", default: "delta" },
  },
});
const bin = path.join(builtYardstick(values.yardstick), "bin");
const folder = mkdtempSync(path.join(tmpdir(), "chancery-many-streams-"));
const [resources, triggers, out] = ["resources", "triggers", "out"].map((name) =>
  path.join(folder, `${name}.json`),
) as [string, string, string];
const server = await serve({ dataDir: path.join(folder, "data"), args: ["--log-level", "warn"] });
execFileSync(path.join(bin, "gcp-ref"), ["--clusters", values.clusters, "--endpoints", "10", "--dump-json", resources]);
const mesh = path.join(repository, "integration/dist/bench/xds-load-mesh.js");
execFileSync(process.execPath, [mesh, resources, server.admin], { stdio: "inherit" });

const adapter = readFileSync(path.join(repository, "integration/bench/xds-load.json"), "utf8");
const filled = JSON.parse(adapter.replaceAll("127.0.0.1:{admin_port}", server.admin));
writeFileSync(triggers, JSON.stringify([{ ...filled.triggers.endpoint, kind: "endpoint" }]));

/** The longest delay between two looks, in milliseconds, as /metrics tells: its 99th percentile and its maximum. */
const lag = { p99: 0, max: 0, looks: 0 };
let isSynced = false;
const looking = setInterval(async () => {
  const text = await (await fetch(`http://${server.admin}/metrics`)).text();
  const seconds = (what: string): number =>
    Number(new RegExp(`^nodejs_eventloop_lag_${what}_seconds (.*)$`, "m").exec(text)?.[1]);
  const streams = [...text.matchAll(/^chancery_streams\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
  if (isSynced) {
    lag.looks += 1;
    lag.p99 = Math.max(lag.p99, seconds("p99") * 1e3);
    lag.max = Math.max(lag.max, seconds("max") * 1e3);
  }
  isSynced ||= streams >= Number(values.streams) && /^chancery_proxies\{.*state="pending".*\} 0$/m.test(text);
}, 300);

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
await new Promise((resolve) => load.once("close", resolve));
clearInterval(looking);
await server.stop();

const { initial_sync: sync, initial_sync_phase: phase, kinds } = JSON.parse(readFileSync(out, "utf8"));
const [{ median_over_updates: update, server_cpu_ms_per_update: cpu, phase: last }] = kinds;
const ms = (time: number): string => time.toFixed(0);
const cells = [
  ["streams", values.streams],
  ["all synced after ms", ms(sync.last_ms)],
  ["server CPU of that, ms", ms(phase.server_cpu_ms)],
  ["an update reaches half of them after ms", ms(update.p50_ms)],
  ["all of them after ms", ms(update.last_ms)],
  ["server CPU an update, ms", ms(cpu)],
  ["event-loop delay in updates, p99 ms", ms(lag.p99)],
  ["at most ms", ms(lag.max)],
  ["looks at that", String(lag.looks)],
  ["peak memory MiB", ms(last.server_peak_mib)],
];
process.stdout.write(`${cells.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}\n`);
rmSync(folder, { recursive: true });
