import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildModules, type Job, jobs, modulePath } from "./modules.ts";
import { type Callbacks, openModule } from "./stub-host.ts";

/**
 * Measures the cost of one stream inside the VM: `node --no-liftoff dist/in-vm.js [PEERS]`. The host does almost
 * nothing, so the result is the cost of the SDK and the filter. It is the minimum of many rounds, because other load
 * only adds to it.
 */
const variants = ["chancery", "chancery with fuel", "hand", "rust", "gcore", "solo"] as const;
const configurations: Partial<Record<Job, string>> = { a: "world 12345", b: "s3cr3t-key-0123456789" };

const work = await mkdtemp(join(tmpdir(), "chancery-bench-"));
try {
  await buildModules(work);
  process.stdout.write(
    `| ns per stream, and pages of memory | ${jobs.join(" | ")} |\n|${" --- |".repeat(jobs.length + 1)}\n`,
  );
  for (const variant of variants) {
    const cells: string[] = [];
    for (const job of jobs) cells.push(await cell(variant, job));
    process.stdout.write(`| ${variant} | ${cells.join(" | ")} |\n`);
  }
} finally {
  await rm(work, { recursive: true, force: true });
}

async function cell(variant: string, job: Job): Promise<string> {
  const [path] = [work, process.argv[2] ?? work].map((each) => modulePath(each, variant, job)).filter(existsSync);
  if (path === undefined) return "";
  try {
    const { callbacks, pages } = openModule(await readFile(path), configurations[job] ?? "configured");
    const nanoseconds = fastest(callbacks);
    return `${nanoseconds.toFixed(0)}, ${pages()}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function fastest(callbacks: Callbacks): number {
  let id = 2;
  const stream = (): void => {
    callbacks["proxy_on_context_create"]?.(id, 1);
    callbacks["proxy_on_request_headers"]?.(id, 16, 1);
    callbacks["proxy_on_response_headers"]?.(id, 3, 0);
    callbacks["proxy_on_log"]?.(id);
    callbacks["proxy_on_done"]?.(id);
    callbacks["proxy_on_delete"]?.(id);
    id++;
  };
  for (let i = 0; i < 30_000; i++) stream();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 60; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < 2000; i++) stream();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 2000);
  }
  return best;
}
