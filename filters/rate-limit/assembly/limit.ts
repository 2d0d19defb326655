import { get_random_u64, get_shared_data, NEW_KEY, RequestMatch, set_shared_data } from "@chancery/filter-sdk";
import { Buckets, Taken } from "./buckets";
import { KeyPart, keyOf } from "./key";
import { Rate } from "./rate";
import { sipHash } from "./sip-hash";

/** The decision of a limit about a request. */
export enum Verdict {
  /** The limit does not apply to the request. */
  None,
  Pass,
  Reject,
  /** The request could not be counted. */
  Uncounted,
}

@final
export class Limit {
  name: string;
  match: RequestMatch;
  key: KeyPart[] = [];
  /** True: requests without a part of the key are not limited. False: they share a bucket. */
  skipsMissing: bool = false;
  /** False: the limit only counts. */
  enforced: bool = true;
  /** An item of RateLimit-Policy: the tokens of a full bucket, and the seconds until an empty bucket is full. */
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

  /** The seconds until the next token, after the last decision. */
  get secondsToNextToken(): u64 {
    return this.rate.secondsToNextToken(this.buckets.level);
  }

  /** An item of RateLimit for the last decision: the tokens left, and the seconds until the next token. */
  get state(): string {
    const left = this.buckets.level / this.rate.tokenParts;
    return `"${this.name}";r=${left};t=${this.secondsToNextToken}`;
  }
}

/** The secret key of the hash. All workers must use the same, so the first worker stores it in the shared data. */
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

/** Reads the secret, and creates it if necessary. Null when the shared data cannot be used. */
export function sharedSecret(): Secret | null {
  const fresh = new ArrayBuffer(16);
  store<u64>(changetype<usize>(fresh), get_random_u64());
  store<u64>(changetype<usize>(fresh), get_random_u64(), 8);
  set_shared_data("rate-limit/secret", fresh, NEW_KEY);
  const secret = get_shared_data("rate-limit/secret").value;
  if (!secret || secret.byteLength !== 16) return null;
  return new Secret(load<u64>(changetype<usize>(secret)), load<u64>(changetype<usize>(secret), 8));
}
