import { posix } from "node:path";
import { deniedGlobals } from "./globals.ts";
import { type Packages, type Room, rooms, sourceFolder } from "./rooms.ts";

/** How many folders deep a room may be. A test checks that none is deeper, because deeper files would have no border. */
export const maxFolders = 1;

/** Code for tests. It may import everything, and shipped code may not import it. */
const testCode = ["*.test.ts", "testing.ts", "*.contract.ts"].map((name) => `**/${name}`);
export const isTestCode = (path: string): boolean => /\.test\.ts$|(?:^|\/)testing\.ts$|\.contract\.ts$/.test(path);

const isFile = (name: string): boolean => name.endsWith(".ts");

const pureRooms = Object.entries(rooms).filter(([, { pure }]) => pure !== undefined);

/** Files of shells that pure rooms may import. The rules of pure rooms apply to them too. */
export const filesOfPureRooms: readonly string[] = [
  ...new Set(pureRooms.flatMap(([, { imports }]) => imports.filter(isFile))),
];

/** The rooms inside a room: "services/discovery" of "services". */
const roomsIn = (name: string): readonly string[] => Object.keys(rooms).filter((other) => other.startsWith(`${name}/`));

/** The configuration that biome.json extends: the borders of each room, and the globals that pure rooms must not use. */
export function biomeConfiguration() {
  const purePaths = [...pureRooms.map(([name]) => `${name}/**`), ...filesOfPureRooms];
  return {
    overrides: [
      { includes: shipped(["**"]), plugins: [plugin("rooms.grit")] },
      {
        includes: shipped(purePaths),
        plugins: [plugin("pure.grit")],
        linter: { rules: { style: { noRestrictedGlobals: { level: "error", options: { deniedGlobals } } } } },
      },
      ...Object.entries(rooms).flatMap(([name, room]) => borders(name, room)),
    ],
  };
}

const plugin = (name: string) => `./tools/architecture/${name}`;

const shipped = (paths: readonly string[]): readonly string[] => [
  ...paths.map((path) => `${sourceFolder}/${path}`),
  ...testCode.map((pattern) => `!${pattern}`),
];

/** Modules of Node of which shells may import only some names: `createRequire` loads files past the borders. */
const packagesOfShells: Packages = { "node:module": ["registerHooks"] };

/** What shells may not import, besides rooms that their list does not have: this package by its name, and the test runner. */
const notInShells = ["./**", "../**", "@chancery/xds-server", "@chancery/xds-server/**", "node:test", "node:test/**"];

/** An override for each depth of folders of a room, because relative paths differ by depth. */
function borders(name: string, room: Room) {
  const depths = isFile(name) ? [0] : Array.from({ length: maxFolders + 1 }, (_, depth) => depth);
  return depths.map((depth) => ({
    includes: [
      ...shipped([isFile(name) ? name : `${name}/${"*/".repeat(depth)}*`]),
      ...roomsIn(name).map((inner) => `!${sourceFolder}/${inner}/**`),
    ],
    linter: {
      rules: {
        style: {
          noRestrictedImports: {
            level: "error",
            options: {
              paths: namesOf(name, room.pure ?? packagesOfShells),
              patterns: [{ group: patterns(name, room, depth), message: importMessage(name, room) }],
            },
          },
        },
      },
    },
  }));
}

/** The packages from which a room may import only some names. */
const namesOf = (name: string, packages: Packages) =>
  Object.fromEntries(
    Object.entries(packages).flatMap(([path, names]) =>
      names === "all"
        ? []
        : [[path, { allowImportNames: names, message: `${name} may import only ${names.join(", ")} of ${path}.` }]],
    ),
  );

/** Patterns of paths in a file that is `depth` folders deep in the room. The last pattern that matches decides. */
function patterns(name: string, { imports, pure }: Room, depth: number): readonly string[] {
  const folder = posix.join(isFile(name) ? "" : name, "folder/".repeat(depth));
  const written = (path: string): string => {
    const relative = posix.relative(folder, path);
    return relative.startsWith("../") ? relative : `./${relative}`;
  };
  const all = (room: string) => `${written(room)}/**`;
  const anything = pure === undefined ? notInShells : ["**"];
  const packages = Object.keys(pure ?? {}).flatMap((path) => [`!${path}`, `!${path}/**`]);
  const ownFiles = isFile(name)
    ? []
    : ["!./**", ...(depth === 0 ? [] : [`!${"../".repeat(depth)}**`]), `${"../".repeat(depth + 1)}**`];
  const otherRooms = imports.flatMap((target) =>
    isFile(target) ? [`!${written(target)}`] : [`!${all(target)}`, ...roomsIn(target).map(all)],
  );
  return [...anything, ...packages, ...ownFiles, ...roomsIn(name).map(all), ...otherRooms, ...testCode];
}

function importMessage(name: string, { imports, pure }: Room): string {
  const list = (names: readonly string[]) => (names.length === 0 ? "nothing" : names.join(", "));
  const packages = pure && `, and of packages ${list(Object.keys(pure))}`;
  return `${name} may import of other rooms ${list(imports)}${packages ?? ", and not the test runner"}. The table is tools/architecture/src/rooms.ts.`;
}
