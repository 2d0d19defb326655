import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  get_monotonic_time_nanoseconds,
  HeaderPair,
  parseJson,
  RootContext,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@chancery/filter-sdk";
import { Limits, readLimits } from "./configuration";
import { Limit, sharedSecret, Verdict } from "./limit";

const passed = new Counter("rate_limit.passed");
const rejected = new Counter("rate_limit.rejected");
const wouldReject = new Counter("rate_limit.would_reject");
const uncounted = new Counter("rate_limit.uncounted");

class RateLimitRoot extends RootContext {
  limits: Limits = new Limits();

  override onConfigure(_configuration_size: u32): bool {
    const json = parseJson(this.getConfiguration());
    const secret = sharedSecret();
    if (!secret) json.fault("needs the shared data, which the proxy does not allow");
    else if (json.problems.length === 0) this.limits = readLimits(json, secret);
    return acceptedConfiguration(json, "rate-limit");
  }

  override createContext(context_id: u32): Context {
    return new RateLimitContext(context_id, this, this.limits);
  }
}

class RateLimitContext extends Context {
  private limits: Limits;
  /** The policies and states for the answer's headers; empty when it reports none. */
  private policies: string = "";
  private states: string = "";

  constructor(context_id: u32, root: RootContext, limits: Limits) {
    super(context_id, root);
    this.limits = limits;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const now = get_monotonic_time_nanoseconds() / 1000;
    const all = this.limits.all;
    const reportsAll = this.limits.reportsAll;
    for (let i = 0; i < all.length; i++) {
      const limit = all[i];
      const verdict = limit.decide(now);
      if (verdict === Verdict.None) continue;
      if (verdict === Verdict.Reject && limit.enforced) return reject(limit);
      outcome(verdict).tag("rule", limit.name).increment(1);
      if (reportsAll && verdict === Verdict.Pass && limit.enforced) this.report(limit);
    }
    return FilterHeadersStatusValues.Continue;
  }

  override onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    if (this.states !== "") {
      stream_context.headers.response.add("ratelimit-policy", this.policies);
      stream_context.headers.response.add("ratelimit", this.states);
    }
    return FilterHeadersStatusValues.Continue;
  }

  private report(limit: Limit): void {
    const separator = this.states === "" ? "" : ", ";
    this.policies += separator + limit.policy;
    this.states += separator + limit.state;
  }
}

function outcome(verdict: Verdict): Counter {
  if (verdict === Verdict.Pass) return passed;
  return verdict === Verdict.Reject ? wouldReject : uncounted;
}

function reject(limit: Limit): FilterHeadersStatusValues {
  rejected.tag("rule", limit.name).increment(1);
  const headers = [
    HeaderPair.of("content-type", "text/plain; charset=utf-8"),
    HeaderPair.of("retry-after", limit.secondsToNextToken.toString()),
    HeaderPair.of("ratelimit-policy", limit.policy),
    HeaderPair.of("ratelimit", limit.state),
    HeaderPair.of("x-envoy-ratelimited", "true"),
  ];
  const body = String.UTF8.encode("too many requests\n");
  // Not UNAVAILABLE, because gRPC clients would retry at once.
  send_local_response(429, `rate_limit_rejected{${limit.name}}`, body, headers, GrpcStatusValues.ResourceExhausted);
  return FilterHeadersStatusValues.StopIteration;
}

registerRootContext((context_id: u32) => new RateLimitRoot(context_id), "rate-limit");
