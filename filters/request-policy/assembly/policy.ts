import { PolicyRequest } from "./policy-request";
import { Rule } from "./rule";
import { Verdict } from "./verdict";

/** Rules in order: the first that matches decides, and the default when none does. */
@final
export class Policy {
  rules: Rule[];
  otherwise: Verdict;
  /** False for a dry run of the whole: what is decided is counted only. */
  enforced: bool;

  constructor(rules: Rule[], otherwise: Verdict, enforced: bool) {
    this.rules = rules;
    this.otherwise = otherwise;
    this.enforced = enforced;
  }

  /** Decides about the request of the running callback. A rule in dry run that matches is told to `passed`, and the next ones are asked. */
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
