import {
  acceptedConfiguration,
  BufferTypeValues,
  Context,
  Counter,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterTrailersStatusValues,
  get_buffer_bytes,
  get_random_u64,
  parseJson,
  RootContext,
  registerRootContext,
} from "@chancery/filter-sdk";
import { Guard, readGuard } from "./configuration";
import { JsonGuard } from "./json-guard";
import { reject } from "./rejection";
import { Rule } from "./rule";

const passed = new Counter("body_guard.passed");
const rejected = new Counter("body_guard.rejected");
const wouldReject = new Counter("body_guard.would_reject");

class GuardRoot extends RootContext {
  guard: Guard = new Guard([], false);
  /** Random, so that a client cannot choose names whose hashes collide. */
  hashSeed: u64 = 0;

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    if (json.problems.length === 0) this.guard = readGuard(json);
    this.hashSeed = get_random_u64();
    return acceptedConfiguration(json, "body-guard");
  }

  override createContext(context_id: u32): Context {
    return new GuardContext(context_id, this);
  }

  ruleOfRequest(): Rule | null {
    const rules = this.guard.rules;
    for (let i = 0; i < rules.length; i++) if (rules[i].match.matches()) return rules[i];
    return null;
  }
}

class GuardContext extends Context {
  private root: GuardRoot;
  /** The rule of the request; null when no rule matches, or when the rule has decided. */
  private rule: Rule | null = null;
  private json: JsonGuard | null = null;
  /** True while the proxy holds headers and body until the rule decides. */
  private holds: bool = false;
  /** The number of bytes of the body so far. */
  private received: i64 = 0;

  constructor(context_id: u32, root: GuardRoot) {
    super(context_id, root);
    this.root = root;
  }

  override onRequestHeaders(_headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const rule = this.root.ruleOfRequest();
    if (!rule) return FilterHeadersStatusValues.Continue;
    this.rule = rule;
    if (end_of_stream)
      return this.ends() ? FilterHeadersStatusValues.Continue : FilterHeadersStatusValues.StopIteration;
    const reason = rule.rejectsHeaders();
    if (reason !== "") {
      return this.goesOnThough(reason, [])
        ? FilterHeadersStatusValues.Continue
        : FilterHeadersStatusValues.StopIteration;
    }
    const limits = rule.json;
    if (!limits || !rule.readsJson()) return FilterHeadersStatusValues.Continue;
    this.json = new JsonGuard(limits, this.root.hashSeed);
    this.holds = !rule.dryRun;
    return this.holds ? FilterHeadersStatusValues.StopIteration : FilterHeadersStatusValues.Continue;
  }

  override onRequestBody(size: u32, end_of_stream: bool): FilterDataStatusValues {
    const rule = this.rule;
    if (!rule) return FilterDataStatusValues.Continue;
    // While the body is held, the buffer contains all of it.
    const known = this.holds ? <u32>this.received : 0;
    const allowed = <i64>rule.maxBytes - this.received;
    this.received += size - known;
    // Read the allowed bytes first, so that the result does not depend on the pieces of the body.
    let goesOn = this.acceptsJson(known, <u32>min<i64>(size - known, allowed));
    if (goesOn && this.rule !== null && this.received > rule.maxBytes) goesOn = this.goesOnThough("too-large", []);
    if (goesOn && end_of_stream) goesOn = this.ends();
    if (!goesOn) return FilterDataStatusValues.StopIterationNoBuffer;
    return this.holds && !end_of_stream
      ? FilterDataStatusValues.StopIterationAndBuffer
      : FilterDataStatusValues.Continue;
  }

  override onRequestTrailers(_trailers: u32): FilterTrailersStatusValues {
    return this.ends() ? FilterTrailersStatusValues.Continue : FilterTrailersStatusValues.StopIteration;
  }

  /** Reads bytes of the body. Like the two methods below, returns true when the request continues. */
  private acceptsJson(start: u32, size: u32): bool {
    const json = this.json;
    if (!json || size === 0) return true;
    const bytes = get_buffer_bytes(BufferTypeValues.HttpRequestBody, start, size);
    if (json.accepts(changetype<usize>(bytes), bytes.byteLength)) return true;
    return this.goesOnThough(json.reason, json.faults);
  }

  /** Ends the body. */
  private ends(): bool {
    const rule = this.rule;
    if (!rule) return true;
    const json = this.json;
    if (this.received === 0) {
      if (rule.required) return this.goesOnThough("missing", []);
    } else if (json && !json.isGood()) return this.goesOnThough(json.reason, json.faults);
    passed.tag("rule", rule.name).increment(1);
    this.rule = null;
    return true;
  }

  /** Rejects the request, or in a dry run only counts it. */
  private goesOnThough(reason: string, faults: string[]): bool {
    const rule = this.rule;
    this.rule = null;
    this.json = null;
    if (!rule) return true;
    const counter = rule.dryRun ? wouldReject : rejected;
    counter.tag("rule", rule.name).tag("reason", reason).increment(1);
    if (!rule.dryRun) reject(rule.name, reason, faults, this.root.guard.answersJson);
    return rule.dryRun;
  }
}

registerRootContext((context_id: u32) => new GuardRoot(context_id), "body-guard");
