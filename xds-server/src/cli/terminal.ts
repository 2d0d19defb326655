import { styleText } from "node:util";

export type Colour = "green" | "yellow" | "red" | "gray" | "bold";

/** Colours on a terminal only; styleText honours NO_COLOR and FORCE_COLOR. */
export function coloured(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

const stateColours: Readonly<Record<string, Colour>> = {
  synced: "green",
  created: "green",
  pending: "yellow",
  changed: "yellow",
  rejected: "red",
  deleted: "red",
  disconnected: "gray",
  unchanged: "gray",
};

/** A state or a change in its colour. */
export function colouredState(word: string): string {
  const colour = stateColours[word.trim()];
  return colour === undefined ? word : coloured(colour, word);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A table with aligned columns. Colour codes do not count, and the last column is not padded. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[], colour: (cell: string) => string): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? colour(cell) : colour(cell.padEnd(widths[column] ?? 0))))
      .join("  ")
      .trimEnd();
  return [line(headings, (cell) => coloured("bold", cell)), ...rows.map((row) => line(row, colouredState))].join("\n");
}

/** Replaces control characters. Text from a server or a proxy must not control the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}
