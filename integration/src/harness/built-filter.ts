import path from "node:path";
import { type BuildResult, buildFilter } from "@chancery/filter-sdk/build";
import { repository } from "./server-process.ts";

export type BuiltFilter = Extract<BuildResult, { readonly ok: true }>;

/** Builds the filter in a folder of this repository, or in another by its absolute path. */
export async function builtFilter(folder: string): Promise<BuiltFilter> {
  const built = await buildFilter(path.resolve(repository, folder));
  if (!built.ok) throw new Error(built.errors.join("\n"));
  return built;
}
