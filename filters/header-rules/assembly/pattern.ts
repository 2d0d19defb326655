import { isWord, JsonValue } from "@chancery/filter-sdk";
import { Literal } from "./literal";
import { PartKind, partsOf } from "./parts";

/** The position of a run in the last match. `end` is exclusive. */
@final
class Run {
  start: i32 = 0;
  end: i32 = 0;
}

/**
 * Literals with runs of any bytes between them. The pattern must match the whole value. Each run is as short as
 * possible. The time of a match is proportional to the length of the value.
 */
@final
export class Pattern {
  /** The names of the runs; "" for a run without a name. */
  names: string[] = [];
  /** The literals before the first run, between the runs, and after the last run. */
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

  /** The bytes of a named run in the last match. */
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
