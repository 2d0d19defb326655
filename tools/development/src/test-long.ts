import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { checked, staticChecks } from "./checks.ts";
import { type LongResult, pageWith } from "./long-results.ts";
import { type LongSuite, longSuites } from "./long-suites.ts";
import { printed } from "./printed.ts";
import { ran } from "./ran.ts";
import { compiled } from "./test-files.ts";

/** The script of `npm run test:long`. Runs suites with large figures, and writes the last result of each to docs/LONG-TESTS.md. */
const root = process.cwd();
const page = path.join(root, "docs/LONG-TESTS.md");
const progressEveryMs = 15_000;

process.exitCode = await testLong(process.argv.slice(2));

async function testLong(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !longSuites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    printed(`Cannot run ${unknown.map((name) => `"${name}"`).join(", ")}: there is no such suite.`);
    printed(`Suites are: ${longSuites.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const build = staticChecks([]).filter(([title]) => title === "types" || title === "filters");
  const built = await Promise.all(build.map(([title, command]) => checked(root, title, command)));
  if (!built.every((good) => good)) return 1;
  let failures = 0;
  const suites = longSuites.filter(({ name }) => names.length === 0 || names.includes(name));
  for (const [index, suite] of suites.entries()) {
    printed(
      `\n${index + 1} of ${suites.length}: ${suite.name}, ${shown(suite)}, at most ${suite.limitMinutes} minutes`,
    );
    const result = await run(suite);
    if (!result.passed) failures++;
    const before = existsSync(page) ? readFileSync(page, "utf8") : "";
    writeFileSync(page, pageWith(before, result));
  }
  printed(
    `\ntest:long: ${suites.length - failures} of ${suites.length} suites passed; docs/LONG-TESTS.md has the results`,
  );
  return failures === 0 ? 0 : 1;
}

async function run(suite: LongSuite): Promise<LongResult> {
  const began = performance.now();
  const minutes = () => ((performance.now() - began) / 60_000).toFixed(1);
  const progress = setInterval(
    () => printed(`${suite.name}: ${minutes()} of at most ${suite.limitMinutes} minutes`),
    progressEveryMs,
  );
  try {
    const { code, output, seconds } = await ran("node", ["--enable-source-maps", "--test", compiled(suite.file)], {
      cwd: root,
      env: { ...process.env, [suite.variable]: String(process.env[suite.variable] ?? suite.figure) },
      output: "both",
      limitMs: suite.limitMinutes * 60_000,
    });
    const late = seconds >= suite.limitMinutes * 60;
    return {
      suite: suite.name,
      figure: shown(suite),
      passed: code === 0,
      measured: late ? `not done after ${suite.limitMinutes} minutes` : figuresIn(output),
      took: `${Math.round(seconds)} s`,
      date: new Date().toISOString().slice(0, "2026-01-01".length),
      commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim(),
      machine: `${os.cpus()[0]?.model ?? os.arch()}, ${os.availableParallelism()} cores, Node ${process.version}`,
    };
  } finally {
    clearInterval(progress);
  }
}

function shown({ variable, figure, unit }: LongSuite): string {
  return `${Number(process.env[variable] ?? figure).toLocaleString("en-US")} ${unit}`;
}

/** The number of tests, and the figures that they printed. */
function figuresIn(output: string): string {
  const lines = [...output.matchAll(/^\s*ℹ (.+)$/gm)].map(([, text = ""]) => text);
  const counted = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
  const count = (what: string) => Number(lines.find((text) => text.startsWith(`${what} `))?.split(" ")[1] ?? 0);
  const skipped = count("skipped") === 0 ? "" : `, ${count("skipped")} skipped`;
  return [`${count("pass")} of ${count("tests")} tests${skipped}`, ...lines.filter((text) => !counted.test(text))].join(
    "; ",
  );
}
