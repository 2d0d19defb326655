import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { repository } from "../harness/server-process.ts";

/** Builds the yardstick `xds-load`. Returns the folder: a copy, because the sources may be read-only. */
export function builtYardstick(directory: string | undefined): string {
  const sources = path.resolve(repository, directory ?? process.env["XDS_LOAD"] ?? "../shared/bench/xds-load");
  if (!existsSync(path.join(sources, "cmd/xds-bench"))) {
    throw new Error(`No yardstick in ${sources}: name the folder xds-load by --yardstick DIR or XDS_LOAD`);
  }
  const copy = path.join(tmpdir(), "chancery-xds-load");
  mkdirSync(path.join(copy, "bin"), { recursive: true });
  for (const part of ["cmd", "internal", "adapters", "go.mod", "go.sum"]) {
    cpSync(path.join(sources, part), path.join(copy, part), { recursive: true, force: true });
  }
  execFileSync("chmod", ["-R", "u+w", copy]);
  execFileSync("go", ["build", "-o", "bin/", "./cmd/..."], { cwd: copy, stdio: "inherit" });
  return copy;
}
