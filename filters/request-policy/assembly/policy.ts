import { PolicyRequest } from "./policy-request";
import { Rule } from "./rule";
import { Verdict } from "./verdict";

/** Rules in order. The first that matches decides. When no rule matches, the default decides. */
@final
export class Policy {
  rules: Rule[];
  otherwise: Verdict;
  /** False for a dry run of the whole policy: decisions are only counted. */
  enforced: bool;

  constructor(rules: Rule[], otherwise: Verdict, enforced: bool) {
    this.rules = rules;
    this.otherwise = otherwise;
    this.enforced = enforced;
  }

  /**
   * Decides about the running callback's request. Calls `passed` for each rule in dry run that matches, and continues.
   */
  decide(passed: (dryRun: Verdict) => void): Verdict {
    const request = new PolicyRequest();
    for (let i = 0; i < this.rules.length; i++) {
      const rule = this.rules[i];
      if (!rule.matches(request)) continue;
      if (rule.verdict.enforced) return rule.verdict;
      passed(rule.verdict);
    }
    return this.otherwise;
  }
}
