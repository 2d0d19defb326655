import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { isTestCode } from "./borders.ts";
import { rooms } from "./rooms.ts";

/** Files of a source folder, from there: "model/mesh.ts". */
export function sourceFiles(folder: URL): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"));
}

/** The innermost room that a file is in; undefined when it is in none. */
export function roomOf(path: string): string | undefined {
  const within = Object.keys(rooms).filter((name) => path === name || path.startsWith(`${name}/`));
  return within.toSorted((a, b) => b.length - a.length)[0];
}

/** An import, export or dynamic import of another module. */
export interface Import {
  readonly from: string;
  /** A file from the source folder, or a package as it is written: "xds-proto-ts/envoy/type/v3/percent". */
  readonly to: string;
  readonly isPackage: boolean;
}

/**
 * What the shipped files import. It searches the text, so a string that reads like an import counts too. That is
 * enough to find unused permissions; the borders are checked by Biome, which parses.
 */
export function shippedImports(folder: URL): readonly Import[] {
  return sourceFiles(folder)
    .filter((path) => !isTestCode(path))
    .flatMap((from) => {
      const text = readFileSync(new URL(from, folder), "utf8");
      return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"\n]+)"/g)].map(([, path = ""]): Import => {
        const isPackage = !path.startsWith(".");
        return { from, to: isPackage ? path : posix.join(posix.dirname(from), path), isPackage };
      });
    });
}
