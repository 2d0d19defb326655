import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { repository } from "../harness/server-process.ts";
import { behaviours } from "./behaviours.ts";
import { sections } from "./sections/index.ts";
import { groundsOf, Suite } from "./suite.ts";
import { chancery, startTarget, type Target } from "./target.ts";

const rules = sections.flatMap((section) => section.rules);

/** Chancery without workers and with two, or the target that CONFORMANCE_TARGET names. */
const { CONFORMANCE_TARGET: named } = process.env;
const targets =
  named === undefined
    ? { "the xDS protocol": undefined, "the xDS protocol, with two workers": `${chancery}#2` }
    : { "the xDS protocol": named };

for (const [what, module] of Object.entries(targets)) {
  describe(what, { timeout: 300_000 }, () => {
    let target: Target;
    let suite: Suite;
    before(async () => {
      target = await startTarget(module);
      suite = new Suite(target, { patienceMs: 5_000 });
    });
    after(() => target.stop());

    for (const { title, rules } of sections) {
      describe(title, () => {
        for (const rule of rules) {
          for (const variant of rule.variants) {
            test(`${variant}: ${rule.does}: ${groundsOf(rule)}`, async (t) => {
              const missing = suite.missing(rule);
              if (missing.length > 0) t.skip(`${target.name} lacks: ${missing.join(", ")}`);
              else await suite.run(rule, variant);
            });
          }
        }
      });
    }
  });
}

test("every behaviour that servers got wrong before is proven by a rule", () => {
  const proven = new Set(rules.flatMap((rule) => rule.behaviours ?? []));
  assert.deepEqual(
    [...proven].sort((one, other) => one - other),
    behaviours.map((_, index) => index + 1),
  );
});

test("docs/CONFORMANCE.md lists every rule", () => {
  const page = readFileSync(path.join(repository, "docs/CONFORMANCE.md"), "utf8");
  const missing = rules.filter(({ does }) => !page.includes(`**${does}**`)).map(({ does }) => does);
  assert.deepEqual(missing, [], "run conformance/report.ts: it writes the page's tables");
});
