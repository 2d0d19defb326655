import { isWord, JsonValue } from "@chancery/filter-sdk";
import { Literal } from "./literal";
import { PartKind, partsOf } from "./parts";

/** Where a capture of the last match is: its first place, and the one after its last. */
@final
class Run {
  start: i32 = 0;
  end: i32 = 0;
}

/**
 * Literals with runs of any bytes between them. All of a value must match; each run is the shortest after which the next literal
 * follows. Matching takes time in proportion to the value.
 */
@final
export class Pattern {
  /** The names of the captures; runs without one have "". */
  names: string[] = [];
  /** What stands before the first run, between them, and after the last. */
  private literals: Literal[] = [];
  private runs: Run[] = [];
  private value: ArrayBuffer = new ArrayBuffer(0);

  static read(json: JsonValue): Pattern {
    const pattern = new Pattern();
    const parts = partsOf(json, true);
    let literal = "";
    let follows = false;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      if (part.kind === PartKind.Literal) {
        literal = part.text;
        follows = false;
        continue;
      }
      const name = part.kind === PartKind.Star ? "" : part.text;
      if (follows) json.fault("has two runs with nothing between them");
      if (part.kind === PartKind.Braced && (name === "" || !isWord(name))) {
        json.fault(`"${name}" should be a name of letters, digits, - and _`);
      } else if (name !== "" && pattern.names.includes(name)) json.fault(`names two captures "${name}"`);
      pattern.addRun(literal, name);
      literal = "";
      follows = true;
    }
    pattern.literals.push(new Literal(literal));
    return pattern;
  }

  matches(value: ArrayBuffer): bool {
    const first = this.literals[0];
    const last = this.literals.length - 1;
    if (last === 0) return value.byteLength === first.size && first.standsAt(value, 0);
    if (!first.standsAt(value, 0)) return false;
    let at = first.size;
    for (let i = 0; i < last; i++) {
      const next = this.literals[i + 1];
      const end = i + 1 < last ? next.findIn(value, at) : value.byteLength - next.size;
      if (end < at || !next.standsAt(value, end)) return false;
      this.runs[i].start = at;
      this.runs[i].end = end;
      at = end + next.size;
    }
    this.value = value;
    return true;
  }

  /** A capture of the last match. */
  captured(name: string): ArrayBuffer {
    const run = this.runs[this.names.indexOf(name)];
    return this.value.slice(run.start, run.end);
  }

  private addRun(before: string, name: string): void {
    this.literals.push(new Literal(before));
    this.names.push(name);
    this.runs.push(new Run());
  }
}
