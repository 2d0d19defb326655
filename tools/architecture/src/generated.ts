import { readFileSync } from "node:fs";
import { biomeConfiguration } from "./borders.ts";
import { withTables } from "./document.ts";

const root = new URL("../../../", import.meta.url);

/** A file that is generated from the table of rooms, in whole or in part. */
export interface Generated {
  /** The path from the top of the repository. */
  readonly path: string;
  readonly url: URL;
  /** The present text. Undefined: the file does not exist. */
  readonly present: string | undefined;
  readonly wanted: string;
}

export function generatedFiles(): readonly Generated[] {
  return [
    generated("tools/architecture/biome.rooms.json", () => `${JSON.stringify(biomeConfiguration(), undefined, 2)}\n`),
    generated("docs/ARCHITECTURE.md", (present = "") => withTables(present)),
  ];
}

function generated(path: string, wanted: (present: string | undefined) => string): Generated {
  const url = new URL(path, root);
  const present = read(url);
  return { path, url, present, wanted: wanted(present) };
}

function read(url: URL): string | undefined {
  try {
    return readFileSync(url, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
