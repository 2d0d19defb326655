import { rooms } from "./rooms.ts";

/** The page with its tables made again from the rooms. Each table is below its marker. */
export function withTables(page: string): string {
  return withTable(withTable(page, "rooms", roomsTable()), "imports", importsTable());
}

/** The table of "Inside xds-server/src". */
const roomsTable = () =>
  table(
    ["part", "is about"],
    Object.entries(rooms).map(([name, { about }]) => [code(name.endsWith(".ts") ? name : `${name}/`), about]),
  );

/** The table of "Who may import whom". */
const importsTable = () =>
  table(
    ["part", "may import", "of packages"],
    Object.entries(rooms).map(([name, { imports, pure }]) => [
      code(name),
      imports.map(code).join(", ") || "nothing of ours",
      pure === undefined ? "any" : packagesText(Object.entries(pure)) || "none",
    ]),
  );

const packagesText = (packages: readonly (readonly [string, "all" | readonly string[]])[]): string =>
  packages
    .map(([name, names]) => (names === "all" ? code(name) : `${names.map(code).join(", ")} of ${code(name)}`))
    .join(", ");

const code = (text: string) => `\`${text}\``;

/** A Markdown table. Each column is as wide as its widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)));
  const line = (cells: readonly string[], fill = " ") =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`;
  return [
    line(head),
    line(
      head.map(() => ""),
      "-",
    ),
    ...rows.map((row) => line(row)),
  ].join("\n");
}

function withTable(page: string, name: string, rows: string): string {
  const marker = `<!-- ${name}: made by npm run generate -->`;
  const [before, after, ...more] = page.split(`${marker}\n\n`);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `Cannot write the table "${name}" of docs/ARCHITECTURE.md: "${marker}" must be above it, and only once`,
    );
  }
  return `${before}${marker}\n\n${rows}\n${after.replace(/^(?:\|.*\n)*/, "")}`;
}
