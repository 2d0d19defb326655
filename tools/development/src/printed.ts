/** Prints a line. */
export function printed(line: string): void {
  process.stdout.write(`${line}\n`);
}
