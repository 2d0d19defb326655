import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { repository } from "../harness/server-process.ts";
import { behaviours } from "./behaviours.ts";
import type { Variant } from "./resources.ts";
import { sections } from "./sections/index.ts";
import { both, groundsOf, type Rule, Suite } from "./suite.ts";
import { startTarget } from "./target.ts";

/**
 * Tests Chancery and each target that an argument names against all rules, one target after the other. Writes the tables of
 * docs/CONFORMANCE.md. Prints each broken rule to standard error.
 */
const page = path.join(repository, "docs/CONFORMANCE.md");
const patienceMs = 2_000;
/** The number of tries of each rule. One is not enough, because a server may follow a rule by chance. */
const rounds = 3;

/** The result of one rule for one target in one variant. "–": the rule does not apply to the variant. */
type Verdict = "yes" | "no" | "sometimes" | "not tried" | "–";

interface Column {
  readonly name: string;
  readonly verdictOf: (rule: Rule, variant: Variant) => Verdict;
}

const rules = sections.flatMap((section) => section.rules);
const columns: Column[] = [];
for (const name of [undefined, ...process.argv.slice(2)]) columns.push(await examined(name));
const text = readFileSync(page, "utf8");
const tables = [summaryTable(), ...sections.map(({ title, rules }) => `### ${title}\n\n${rulesTable(rules)}`)].join(
  "\n\n",
);
writeFileSync(page, between(between(text, "rules", tables), "behaviours", behavioursTable()));

async function examined(name: string | undefined): Promise<Column> {
  const target = await startTarget(name);
  const suite = new Suite(target, { patienceMs });
  const verdicts = new Map<string, Verdict>();
  for (const rule of rules) {
    for (const variant of rule.variants) {
      const isTried = suite.missing(rule).length === 0;
      const verdict = isTried
        ? await judged(() => suite.run(rule, variant), `${target.name}, ${variant}: ${rule.does}`)
        : "not tried";
      verdicts.set(`${variant} ${rule.does}`, verdict);
    }
  }
  await target.stop();
  return { name: target.name, verdictOf: (rule, variant) => verdicts.get(`${variant} ${rule.does}`) ?? "–" };
}

async function judged(run: () => Promise<void>, what: string): Promise<Verdict> {
  let passed = 0;
  for (let round = 0; round < rounds; round += 1) {
    try {
      await run();
      passed += 1;
    } catch (error) {
      process.stderr.write(`${what}\n  ${(error as Error).message.replaceAll("\n", "\n  ")}\n`);
    }
  }
  if (passed === rounds) return "yes";
  return passed === 0 ? "no" : "sometimes";
}

/** The number of required rules that each target follows. */
function summaryTable(): string {
  const body = columns.map(({ name, verdictOf }) => {
    const counts = both.map((variant) => {
      const verdicts = rules.filter(({ strength }) => strength !== "may").map((rule) => verdictOf(rule, variant));
      const examined = verdicts.filter((verdict) => verdict !== "not tried" && verdict !== "–");
      return `${examined.filter((verdict) => verdict === "yes").length} of ${examined.length}`;
    });
    return [name, ...counts];
  });
  return table([["", "SotW", "delta"], ...body]);
}

function rulesTable(rules: readonly Rule[]): string {
  const head = ["a server … (SotW / delta)", ...columns.map(({ name }) => name)];
  const body = rules.map((rule) => [
    `**${rule.does}**${rule.strength === "may" ? " (may)" : ""}<br>${groundsOf(rule)}`,
    ...columns.map(({ verdictOf }) => both.map((variant) => verdictOf(rule, variant)).join(" / ")),
  ]);
  return table([head, ...body]);
}

function behavioursTable(): string {
  const head = ["", "behaviour", "met in", "proven by: a server …"];
  const body = behaviours.map(({ says, metIn }, index) => {
    const proofs = rules.filter((rule) => rule.behaviours?.includes(index + 1));
    return [String(index + 1), says, metIn, proofs.map(({ does }) => does).join("; ")];
  });
  return `${table([head, ...body])}\n`;
}

function table([head = [], ...body]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}

/** Replaces the text between `<!-- NAME -->` and `<!-- /NAME -->`. */
function between(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`${page} has no place for ${name}: ${start} … ${end}`);
  return `${text.slice(0, from + start.length)}\n\n${content.trim()}\n\n${text.slice(to)}`;
}
