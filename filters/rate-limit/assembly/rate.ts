/**
 * The refill rate and the capacity of a bucket. Levels are in parts: a token has as many parts as `per` has
 * microseconds, and each microsecond adds `tokens` parts. So nothing is rounded, and no error accumulates over time.
 */
@final
export class Rate {
  tokenParts: u64;
  partsPerMicrosecond: u64;
  capacity: u64;

  constructor(tokens: u64, perMicroseconds: u64, burst: u64) {
    this.tokenParts = perMicroseconds;
    this.partsPerMicrosecond = tokens;
    this.capacity = burst * perMicroseconds;
  }

  /** The level after some time. */
  refilled(level: u64, microseconds: u64): u64 {
    if (level >= this.capacity) return this.capacity;
    const missing = this.capacity - level;
    // When the bucket is not filled, the added parts are at most `missing`, so the product does not overflow.
    const filled = microseconds > missing / this.partsPerMicrosecond;
    return filled ? this.capacity : level + microseconds * this.partsPerMicrosecond;
  }

  /** The time until a level has one more whole token, in seconds, rounded up. */
  secondsToNextToken(level: u64): u64 {
    const parts = this.tokenParts - (level % this.tokenParts);
    return seconds(roundedUp(parts, this.partsPerMicrosecond));
  }

  /** The time until an empty bucket is full, in seconds, rounded up. */
  get secondsToFill(): u64 {
    return seconds(roundedUp(this.capacity, this.partsPerMicrosecond));
  }
}

function seconds(microseconds: u64): u64 {
  return roundedUp(microseconds, 1_000_000);
}

function roundedUp(dividend: u64, divisor: u64): u64 {
  return (dividend + divisor - 1) / divisor;
}
