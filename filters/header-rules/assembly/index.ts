import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  HeaderStreamManipulator,
  parseJson,
  RootContext,
  registerRootContext,
  stream_context,
} from "@chancery/filter-sdk";
import { Rules, readRules } from "./configuration";
import { Rule } from "./rule";
import { RequestNotes } from "./template";

const applied = new Counter("header_rules.applied");

class HeaderRulesRoot extends RootContext {
  rules: Rules = new Rules();

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    if (json.problems.length === 0) this.rules = readRules(json);
    return acceptedConfiguration(json, "header-rules");
  }

  override createContext(context_id: u32): Context {
    return new HeaderRulesContext(context_id, this, this.rules);
  }
}

class HeaderRulesContext extends Context {
  private rules: Rules;
  /** Null when no rule needs it, or when the request never arrived at this filter. */
  private notes: RequestNotes | null = null;

  constructor(context_id: u32, root: RootContext, rules: Rules) {
    super(context_id, root);
    this.rules = rules;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    if (this.rules.notesRequests) this.notes = noted(this.rules, headers);
    const rules = this.rules.request;
    for (let i = 0; i < rules.length; i++) if (rules[i].match.matches()) apply(rules[i], headers, null);
    return FilterHeadersStatusValues.Continue;
  }

  override onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.response;
    const rules = this.rules.response;
    for (let i = 0; i < rules.length; i++) if (this.wants(rules[i], i, headers)) apply(rules[i], headers, this.notes);
    return FilterHeadersStatusValues.Continue;
  }

  private wants(rule: Rule, place: i32, headers: HeaderStreamManipulator): bool {
    const notes = this.notes;
    if (rule.matchesSome && (notes === null || !notes.matched[place])) return false;
    const conditions = rule.responseHeaders;
    for (let i = 0; i < conditions.length; i++) if (!conditions[i].matches(headers)) return false;
    return true;
  }
}

function noted(rules: Rules, headers: HeaderStreamManipulator): RequestNotes {
  const notes = new RequestNotes(rules.noted, headers);
  for (let i = 0; i < rules.response.length; i++) notes.matched.push(rules.response[i].match.matches());
  return notes;
}

function apply(rule: Rule, headers: HeaderStreamManipulator, notes: RequestNotes | null): void {
  if (rule.change.apply(headers, notes) && rule.name !== "") applied.tag("rule", rule.name).increment(1);
}

registerRootContext((context_id: u32) => new HeaderRulesRoot(context_id), "header-rules");
