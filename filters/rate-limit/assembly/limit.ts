import { get_random_u64, get_shared_data, NEW_KEY, RequestMatch, set_shared_data } from "@chancery/filter-sdk";
import { Buckets, Taken } from "./buckets";
import { KeyPart, keyOf } from "./key";
import { Rate } from "./rate";
import { sipHash } from "./sip-hash";

/** What a limit says to a request. */
export enum Verdict {
  /** It is not about such requests. */
  None,
  Pass,
  Reject,
  /** There was no way to count it. */
  Uncounted,
}

@final
export class Limit {
  name: string;
  match: RequestMatch;
  key: KeyPart[] = [];
  /** Requests without a part of the key are not limited; otherwise they share a bucket. */
  skipsMissing: bool = false;
  /** When not, it only counts. */
  enforced: bool = true;
  /** An item of RateLimit-Policy: how many requests an empty bucket lets pass in how many seconds, once it is full. */
  policy: string;
  private rate: Rate;
  private buckets: Buckets;
  private secret: Secret;

  constructor(name: string, match: RequestMatch, rate: Rate, buckets: Buckets, secret: Secret) {
    this.name = name;
    this.match = match;
    this.rate = rate;
    this.buckets = buckets;
    this.secret = secret;
    this.policy = `"${name}";q=${rate.capacity / rate.tokenParts};w=${rate.secondsToFill}`;
  }

  /** Takes a token for the request of the running callback. `now` is in microseconds. */
  decide(now: u64): Verdict {
    if (!this.match.matches()) return Verdict.None;
    const key = keyOf(this.key, this.skipsMissing);
    if (key === null) return Verdict.None;
    const taken = this.buckets.take(this.secret.hash(key), now);
    if (taken === Taken.Unknown) return Verdict.Uncounted;
    return taken === Taken.Yes ? Verdict.Pass : Verdict.Reject;
  }

  /** Of the last decision: when the next token comes. */
  get secondsToNextToken(): u64 {
    return this.rate.secondsToNextToken(this.buckets.level);
  }

  /** Of the last decision, an item of RateLimit: how many tokens are left, and when the next comes. */
  get state(): string {
    const left = this.buckets.level / this.rate.tokenParts;
    return `"${this.name}";r=${left};t=${this.secondsToNextToken}`;
  }
}

/** The key of the hash. All workers must have the same, so the first that needs one keeps it in the shared data. */
@final
export class Secret {
  private key0: u64;
  private key1: u64;

  constructor(key0: u64, key1: u64) {
    this.key0 = key0;
    this.key1 = key1;
  }

  hash(text: string): u64 {
    return sipHash(this.key0, this.key1, String.UTF8.encode(text));
  }
}

/** Null when there is no shared data to read and write. */
export function sharedSecret(): Secret | null {
  const fresh = new ArrayBuffer(16);
  store<u64>(changetype<usize>(fresh), get_random_u64());
  store<u64>(changetype<usize>(fresh), get_random_u64(), 8);
  set_shared_data("rate-limit/secret", fresh, NEW_KEY);
  const secret = get_shared_data("rate-limit/secret").value;
  if (!secret || secret.byteLength !== 16) return null;
  return new Secret(load<u64>(changetype<usize>(secret)), load<u64>(changetype<usize>(secret), 8));
}
