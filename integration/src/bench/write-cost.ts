import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { serve } from "../harness/server-process.ts";

/** Measures the cost of a PUT of one Endpoints document, by the size of the mesh. See bench/README.md. */
const sizes = [10, 1_000, 10_000];
const warmUp = 300;
const counted = 300;

process.stdout.write(
  "| documents | median ms | p99 ms | server CPU ms | peak MiB |\n| --: | --: | --: | --: | --: |\n",
);
for (const size of sizes) await measure(size);

async function measure(documents: number): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "chancery-write-cost-"));
  const server = await serve({ dataDir });
  const agent = new Agent({ keepAlive: true });
  const names = Array.from({ length: documents / 2 }, (_, index) => `c-${index}`);
  await put("mesh", [
    ...names.map((name) => ({ kind: "Cluster", name, spec: { eds: {} } })),
    ...names.map((name, index) => ({ kind: "Endpoints", name, spec: endpoints(index) })),
  ]);
  for (let n = 0; n < warmUp; n++) await change(n);
  const cpuBefore = cpuMs(server.pid);
  const times: number[] = [];
  for (let n = warmUp; n < warmUp + counted; n++) {
    const started = performance.now();
    await change(n);
    times.push(performance.now() - started);
  }
  const cpu = (cpuMs(server.pid) - cpuBefore) / counted;
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? Number.NaN).toFixed(2);
  const cells = [documents, at(0.5), at(0.99), cpu.toFixed(2), peakMiB(server.pid).toFixed(0)];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
  agent.destroy();
  await server.stop();
  rmSync(dataDir, { recursive: true });

  function change(n: number): Promise<void> {
    return put(`endpoints/c-${n % names.length}`, { spec: endpoints(documents + n) });
  }

  function put(what: string, body: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const sent = request(`http://${server.admin}/api/v1/${what}`, { method: "PUT", agent, headers }, (answer) => {
        answer.resume().once("end", () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`PUT ${what} was answered with ${answer.statusCode}`));
        });
      });
      sent.once("error", reject);
      sent.end(JSON.stringify(body));
    });
  }
}

function endpoints(n: number): object {
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  return { endpoints: Array.from({ length: 10 }, (_, index) => ({ address, port: 8000 + index })) };
}

/** The processor time of all threads of a process. */
function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

function peakMiB(pid: number): number {
  const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) / 1024;
}
