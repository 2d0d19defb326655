import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  parseJson,
  RootContext,
  registerRootContext,
  send_local_response,
} from "@chancery/filter-sdk";
import { readPolicy } from "./configuration";
import { Policy } from "./policy";
import { Verdict } from "./verdict";

const allowed = new Counter("request_policy.allowed");
const denied = new Counter("request_policy.denied");
const wouldDeny = new Counter("request_policy.would_deny");

class PolicyRoot extends RootContext {
  policy: Policy | null = null;

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    this.policy = json.problems.length === 0 ? readPolicy(json) : null;
    return acceptedConfiguration(json, "request-policy");
  }

  override createContext(context_id: u32): Context {
    return new PolicyContext(context_id, this, this.policy);
  }
}

class PolicyContext extends Context {
  private policy: Policy | null;

  constructor(context_id: u32, root: RootContext, policy: Policy | null) {
    super(context_id, root);
    this.policy = policy;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const policy = this.policy;
    // The proxy does not use a filter that rejected its configuration.
    if (!policy) throw new Error("request-policy has no configuration");
    const verdict = policy.decide(countDryRun);
    if (verdict.allow) {
      allowed.tag("rule", verdict.rule).increment(1);
      return FilterHeadersStatusValues.Continue;
    }
    if (!policy.enforced || !verdict.enforced) {
      countDryRun(verdict);
      return FilterHeadersStatusValues.Continue;
    }
    denied.tag("rule", verdict.rule).increment(1);
    send_local_response(verdict.status, verdict.details, verdict.body, verdict.headers, GrpcStatusValues.InvalidCode);
    return FilterHeadersStatusValues.StopIteration;
  }
}

function countDryRun(verdict: Verdict): void {
  wouldDeny.tag("rule", verdict.rule).increment(1);
}

registerRootContext((context_id: u32) => new PolicyRoot(context_id), "request-policy");
