import { Outcome } from "./outcome";

@final
class Entry {
  key: string;
  outcome: Outcome;
  untilMs: i64;
  /** True when the entry was used since the hand last passed it. */
  used: bool = false;

  constructor(key: string, outcome: Outcome, untilMs: i64) {
    this.key = key;
    this.outcome = outcome;
    this.untilMs = untilMs;
  }
}

/**
 * Outcomes by the hash of their credential, with a maximum number of entries. A full cache replaces an entry by the
 * clock algorithm: a hand goes round, skips the entries that were used since it last passed, and takes the first other
 * or expired one.
 */
@final
export class Cache {
  private capacity: i32;
  private entries: Map<string, Entry> = new Map();
  private ring: Entry[] = [];
  private hand: i32 = 0;

  constructor(capacity: i32) {
    this.capacity = capacity;
  }

  /** Null when there is no entry, or it has expired. */
  get(key: string, nowMs: i64): Outcome | null {
    if (!this.entries.has(key)) return null;
    const entry = this.entries.get(key);
    if (entry.untilMs <= nowMs) return null;
    entry.used = true;
    return entry.outcome;
  }

  set(key: string, outcome: Outcome, nowMs: i64, keptMs: i64): void {
    if (keptMs <= 0) return;
    if (this.entries.has(key)) {
      const known = this.entries.get(key);
      known.outcome = outcome;
      known.untilMs = nowMs + keptMs;
      return;
    }
    const entry = new Entry(key, outcome, nowMs + keptMs);
    this.entries.set(key, entry);
    if (this.ring.length < this.capacity) this.ring.push(entry);
    else this.replace(entry, nowMs);
  }

  private replace(entry: Entry, nowMs: i64): void {
    while (this.ring[this.hand].used && this.ring[this.hand].untilMs > nowMs) {
      this.ring[this.hand].used = false;
      this.advance();
    }
    this.entries.delete(this.ring[this.hand].key);
    this.ring[this.hand] = entry;
    this.advance();
  }

  private advance(): void {
    this.hand = this.hand + 1 === this.capacity ? 0 : this.hand + 1;
  }
}
