import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { isTestCode } from "./borders.ts";
import { rooms } from "./rooms.ts";

/** The TypeScript files of a folder, by their paths in it: "model/mesh.ts". */
export function sourceFiles(folder: URL): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"));
}

/** The innermost room of a file. Undefined: it is in no room. */
export function roomOf(path: string): string | undefined {
  const within = Object.keys(rooms).filter((name) => path === name || path.startsWith(`${name}/`));
  return within.toSorted((a, b) => b.length - a.length)[0];
}

/** An import, export or dynamic import of another module. */
export interface Import {
  readonly from: string;
  /** A file by its path in the source folder, or a package as in the text: "xds-proto-ts/envoy/type/v3/percent". */
  readonly to: string;
  readonly isPackage: boolean;
}

/**
 * The imports of the shipped files. This searches the text, so a string that looks like an import counts too. That is
 * enough to find unused permissions. Biome, which parses, checks the borders.
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
