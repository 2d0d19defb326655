import { get_shared_data, NEW_KEY, set_shared_data, WasmResultValues } from "@chancery/filter-sdk";
import { Rate } from "./rate";

/** The result of taking a token. */
export enum Taken {
  Yes,
  /** The bucket has less than a token. */
  No,
  /** The shared data could not be written. */
  Unknown,
}

/** The number of buckets in one entry of the shared data. */
export const BUCKETS_IN_SET: u32 = 16;
/**
 * The maximum number of attempts. An attempt fails when another worker writes the set between reading and writing it.
 */
const ATTEMPTS: i32 = 100;

// The bytes of a set: the number of parts of a token (u64), then the buckets. Each bucket has
// the key's hash (u64), the time of its level (microseconds, u64), and the level in parts (u64).
const HEAD: usize = 8;
const BUCKET: usize = 24;
const AT: usize = 8;
const LEVEL: usize = 16;

/**
 * The buckets of one limit, by the hash of their key. They are in the shared data of all workers, in a fixed number of
 * sets, because shared data can never be deleted. Full buckets are not stored, because a new bucket starts full. When a
 * set overflows, its fullest bucket is removed.
 */
@final
export class Buckets {
  /** The level of the last bucket that `take` used, in parts. */
  level: u64 = 0;
  private rate: Rate;
  private prefix: string;
  private sets: u64;

  constructor(name: string, rate: Rate, sets: u64) {
    this.rate = rate;
    this.prefix = `rate-limit/${name}/`;
    this.sets = sets;
  }

  /** Takes a token from a key's bucket. `now` is in microseconds, by a clock that all workers share. */
  take(hash: u64, now: u64): Taken {
    const key = this.prefix + (hash % this.sets).toString();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const got = get_shared_data(key);
      if (got.result !== WasmResultValues.Ok && got.result !== WasmResultValues.NotFound) return Taken.Unknown;
      const cas = got.value ? got.cas : NEW_KEY;
      const set = wellFormed(got.value);
      const found = set ? this.find(set, hash) : 0;
      const setTokenParts = set ? tokenPartsOf(set) : 0;
      // Another worker may have read the clock later, but written earlier.
      const at = found !== 0 ? max(now, load<u64>(found, AT)) : now;
      const level = found !== 0 ? this.levelAt(found, setTokenParts, at) : this.rate.capacity;
      this.level = level;
      if (level < this.rate.tokenParts) return Taken.No;
      this.level = level - this.rate.tokenParts;
      const written = set_shared_data(key, this.withBucket(set, hash, at, this.level), cas);
      if (written === WasmResultValues.Ok) return Taken.Yes;
      if (written !== WasmResultValues.CasMismatch) return Taken.Unknown;
    }
    return Taken.Unknown;
  }

  /** The address of a key's bucket; 0 when the set does not contain it. */
  private find(set: ArrayBuffer, hash: u64): usize {
    const end = endOf(set);
    for (let bucket = firstOf(set); bucket < end; bucket += BUCKET) if (load<u64>(bucket) === hash) return bucket;
    return 0;
  }

  private levelAt(bucket: usize, tokenParts: u64, now: u64): u64 {
    let level = load<u64>(bucket, LEVEL);
    // An earlier configuration had another rate. Keep the whole tokens.
    if (tokenParts !== this.rate.tokenParts) level = (level / tokenParts) * this.rate.tokenParts;
    const at = load<u64>(bucket, AT);
    return this.rate.refilled(level, now > at ? now - at : 0);
  }

  /** Returns a set with one bucket changed, and without the buckets that are full now. */
  private withBucket(set: ArrayBuffer | null, hash: u64, now: u64, level: u64): ArrayBuffer {
    const scratch = new StaticArray<u64>(1 + 3 * (<i32>BUCKETS_IN_SET + 1));
    let count = 1;
    let fullest = 0;
    unchecked((scratch[0] = this.rate.tokenParts));
    unchecked((scratch[1] = hash));
    unchecked((scratch[2] = now));
    unchecked((scratch[3] = level));
    if (set) {
      const end = endOf(set);
      const tokenParts = tokenPartsOf(set);
      for (let bucket = firstOf(set); bucket < end; bucket += BUCKET) {
        const other = load<u64>(bucket);
        const otherLevel = this.levelAt(bucket, tokenParts, now);
        if (other === hash || otherLevel === this.rate.capacity) continue;
        const place = 1 + 3 * count;
        unchecked((scratch[place] = other));
        unchecked((scratch[place + 1] = max(now, load<u64>(bucket, AT))));
        unchecked((scratch[place + 2] = otherLevel));
        if (fullest === 0 || otherLevel > unchecked(scratch[fullest + 2])) fullest = place;
        count++;
      }
    }
    const from = changetype<usize>(scratch);
    if (count > <i32>BUCKETS_IN_SET) {
      count--;
      const last = from + HEAD + <usize>count * BUCKET;
      memory.copy(from + ((<usize>fullest) << 3), last, BUCKET);
    }
    const written = new ArrayBuffer(<i32>HEAD + count * <i32>BUCKET);
    memory.copy(changetype<usize>(written), from, written.byteLength);
    return written;
  }
}

/** Ignores a set in another format, which another version of this filter may have written. */
function wellFormed(set: ArrayBuffer | null): ArrayBuffer | null {
  if (!set) return null;
  const size = <usize>set.byteLength;
  if (size < HEAD || size > HEAD + <usize>BUCKETS_IN_SET * BUCKET || (size - HEAD) % BUCKET !== 0) return null;
  return tokenPartsOf(set) > 0 ? set : null;
}

function tokenPartsOf(set: ArrayBuffer): u64 {
  return load<u64>(changetype<usize>(set));
}

function firstOf(set: ArrayBuffer): usize {
  return changetype<usize>(set) + HEAD;
}

function endOf(set: ArrayBuffer): usize {
  return changetype<usize>(set) + set.byteLength;
}
