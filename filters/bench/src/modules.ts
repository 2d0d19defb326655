import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFilter } from "@chancery/filter-sdk/build";
import { compile } from "@chancery/filter-sdk/compile";
import { withFuel } from "@chancery/filter-sdk/fuel";

const sources = fileURLToPath(new URL("../", import.meta.url));

/** The letters of the measured jobs. */
export const jobs = ["a", "b", "c", "d", "e"] as const;
export type Job = (typeof jobs)[number];

/** The jobs that are also written by hand. */
const byHand: ReadonlySet<Job> = new Set<Job>(["a", "b", "c", "e"]);

/** Builds the filters of this SDK, with and without fuel, and the filters by hand: DIR/VARIANT_JOB.wasm. */
export async function buildModules(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const job of jobs) {
    const built = await buildFilter(join(sources, "chancery", job));
    if (!built.ok) throw new Error(built.errors.join("\n"));
    await writeFile(modulePath(directory, "chancery", job), built.wasm);
    await writeFile(modulePath(directory, "chancery with fuel", job), withFuel(built.wasm).wasm);
    if (!byHand.has(job)) continue;
    const compiled = await compile({
      directory: join(sources, "hand"),
      source: `export * from "./${job}";\n`,
      maximumMemoryPages: 16,
    });
    if (!compiled.ok) throw new Error(compiled.errors.join("\n"));
    await writeFile(modulePath(directory, "hand", job), compiled.wasm);
  }
}

export function modulePath(directory: string, variant: string, job: Job): string {
  return join(directory, `${variant.replaceAll(" ", "-")}_${job}.wasm`);
}
