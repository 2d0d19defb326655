/**
 * How fast a bucket refills, and how much it holds. Levels are counted in parts: a token is as many parts as `per` has
 * microseconds, and `tokens` parts come back in each microsecond. So nothing is ever rounded, and no time adds up an error.
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
    // What comes back in that time is no more than what is missing, and so does not overflow.
    const filled = microseconds > missing / this.partsPerMicrosecond;
    return filled ? this.capacity : level + microseconds * this.partsPerMicrosecond;
  }

  /** How long until a level has one whole token more, in seconds, rounded up. */
  secondsToNextToken(level: u64): u64 {
    const parts = this.tokenParts - (level % this.tokenParts);
    return seconds(roundedUp(parts, this.partsPerMicrosecond));
  }

  /** How long an empty bucket takes to fill, in seconds, rounded up. */
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
