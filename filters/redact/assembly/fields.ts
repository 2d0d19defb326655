import { Step } from "./field-path";

/** A value to be masked, and how. */
@final
export class Field {
  steps: Step[];
  asNull: bool = false;
  /** How many characters of a string or number stay. */
  keepLast: i32 = 0;

  constructor(steps: Step[]) {
    this.steps = steps;
  }
}

/**
 * The paths of all fields as one automaton: a state is a place in a path, and a set of states, of one bit each, says where in
 * the paths a place in the text is. `masks` answers which field is reached.
 */
@final
export class Fields {
  list: Field[];
  /** How many words a set has. */
  words: i32;
  /** The longest name in a path, in bytes. */
  longestName: i32 = 0;

  /** By state: the step to take next, null when the path ends there, and the place in `list`. */
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

  /** The set for the whole text. */
  begin(set: StaticArray<u64>): void {
    let state = 0;
    for (let i = 0; i < this.list.length; i++) {
      this.add(set, 0, state);
      state += this.list[i].steps.length + 1;
    }
  }

  /** The set `to`, from the set `from` by way of a member's name, or of an element. Both are places in `sets`. */
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

  /** The place in `list` of the first field whose path ends in a set, or -1. */
  masks(sets: StaticArray<u64>, set: i32): i32 {
    for (let word = 0; word < this.words; word++) {
      for (let left = unchecked(sets[set + word]); left !== 0; left &= left - 1) {
        const state = (word << 6) + <i32>ctz(left);
        if (!unchecked(this.steps[state])) return unchecked(this.fields[state]);
      }
    }
    return -1;
  }

  /** A state, and the one behind it when its step may also be no step. */
  private add(sets: StaticArray<u64>, set: i32, state: i32): void {
    sets[set + (state >> 6)] |= (<u64>1) << (state & 63);
    const step = this.steps[state];
    if (step && step.isDeep) this.add(sets, set, state + 1);
  }
}
