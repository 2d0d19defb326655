/** The last run of a suite. */
export interface LongResult {
  readonly suite: string;
  /** "1,000,000 hostile frames" */
  readonly figure: string;
  readonly passed: boolean;
  /** The figures that the suite measured. */
  readonly measured: string;
  /** "312 s" */
  readonly took: string;
  /** "2026-11-30" */
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
}

const introduction = `# Long tests

\`npm run test:long\` runs these suites with figures that are too large for \`npm test\`; \`npm run test:long -- NAME\` runs one.
Each row is the last run of its suite, written by that command.

| suite | figure | result | measured | took | date | commit | machine |
| ----- | ------ | ------ | -------- | ---- | ---- | ------ | ------- |
`;

/** The page with this result instead of the suite's earlier one. Rows are in the order of their names. */
export function pageWith(page: string, result: LongResult): string {
  const { suite, figure, passed, measured, took, date, commit, machine } = result;
  const cells = [suite, figure, passed ? "passed" : "**failed**", measured, took, date, commit, machine];
  const row = `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  const rows = page.split("\n").filter((line) => /^\| (?!suite )[a-z]/.test(line) && !line.startsWith(`| ${suite} |`));
  return `${introduction}${[...rows, row].sort().join("\n")}\n`;
}
