import { Step } from "./field-path";

/** The path of values to mask, and their replacement. */
@final
export class Field {
  steps: Step[];
  asNull: bool = false;
  /** The number of characters to keep at the end of a string or number. */
  keepLast: i32 = 0;

  constructor(steps: Step[]) {
    this.steps = steps;
  }
}

/**
 * The paths of all fields as one automaton. A state is a position in a path. A place in the text has a set of states,
 * with one bit for each. `masks` returns the field whose path ends at a place.
 */
@final
export class Fields {
  list: Field[];
  /** The number of words of a set. */
  words: i32;
  /** The longest name in a path, in bytes. */
  longestName: i32 = 0;

  /** For each state: the next step (null when the path ends), and the index of the field in `list`. */
  private steps: Array<Step | null> = [];
  private fields: i32[] = [];

  constructor(list: Field[]) {
    this.list = list;
    for (let i = 0; i < list.length; i++) {
      const steps = list[i].steps;
      for (let at = 0; at < steps.length; at++) {
        this.steps.push(steps[at]);
        this.fields.push(i);
        const name = steps[at].name;
        if (name) this.longestName = max(this.longestName, name.byteLength);
      }
      this.steps.push(null);
      this.fields.push(i);
    }
    this.words = (this.steps.length + 63) >> 6;
  }

  /** Sets the states for the top of the text. */
  begin(set: StaticArray<u64>): void {
    let state = 0;
    for (let i = 0; i < this.list.length; i++) {
      this.add(set, 0, state);
      state += this.list[i].steps.length + 1;
    }
  }

  /**
   * Computes the set `to` from the set `from`, for a member with a name or for an element. Both are indexes in `sets`.
   */
  advance(sets: StaticArray<u64>, from: i32, to: i32, isElement: bool, name: usize, size: i32): void {
    for (let word = 0; word < this.words; word++) unchecked((sets[to + word] = 0));
    for (let word = 0; word < this.words; word++) {
      for (let left = unchecked(sets[from + word]); left !== 0; left &= left - 1) {
        const state = (word << 6) + <i32>ctz(left);
        const step = unchecked(this.steps[state]);
        if (!step) continue;
        if (step.isDeep) this.add(sets, to, state);
        else if (isElement ? step.isElement : step.leadsToMember(name, size)) this.add(sets, to, state + 1);
      }
    }
  }

  /** The index in `list` of the first field whose path ends at this set, or -1. */
  masks(sets: StaticArray<u64>, set: i32): i32 {
    for (let word = 0; word < this.words; word++) {
      for (let left = unchecked(sets[set + word]); left !== 0; left &= left - 1) {
        const state = (word << 6) + <i32>ctz(left);
        if (!unchecked(this.steps[state])) return unchecked(this.fields[state]);
      }
    }
    return -1;
  }

  /** Adds a state. For `**`, also adds the state after it, because `**` matches nothing too. */
  private add(sets: StaticArray<u64>, set: i32, state: i32): void {
    sets[set + (state >> 6)] |= (<u64>1) << (state & 63);
    const step = this.steps[state];
    if (step && step.isDeep) this.add(sets, set, state + 1);
  }
}
