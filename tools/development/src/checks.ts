import type { Part } from "./parts.ts";
import { printed } from "./printed.ts";
import { ran } from "./ran.ts";

type Command = readonly [program: string, ...args: string[]];

/** The checks that need no tests, of all code or only of some parts. They also build the types and compile the filters. */
export function staticChecks(parts: readonly Part[]): readonly (readonly [title: string, command: Command])[] {
  const folders = parts.map(({ folder }) => folder);
  const projects = [...new Set(parts.flatMap((part) => part.projects))];
  const filters = projects.filter((project) => project.startsWith("filters/"));
  return [
    [
      "format and lint",
      ["biome", "ci", `--colors=${process.stdout.isTTY ? "force" : "off"}`, ...(parts.length === 0 ? ["."] : folders)],
    ],
    ["types", ["tsc", "-b", ...projects]],
    ...(parts.length === 0 ? [["unused code", ["knip", "--no-config-hints"]] as const] : []),
    ...(parts.length === 0 || filters.length > 0
      ? [["filters", ["node", "filters/sdk/tools/build-all.ts", ...filters]] as const]
      : []),
  ];
}

/** Runs one check. Prints a line, and all of its output when it fails. */
export async function checked(root: string, title: string, [program, ...args]: Command): Promise<boolean> {
  const { code, output, seconds } = await ran(program, args, { cwd: root });
  printed(`${title}: ${code === 0 ? "good" : "FAILED"} in ${seconds.toFixed(1)} s`);
  if (code !== 0) printed(`${[program, ...args].join(" ")}\n${output.trim()}`);
  return code === 0;
}
