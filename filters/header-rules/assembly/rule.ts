import { HeaderCondition, HeaderStreamManipulator, RequestMatch } from "@chancery/filter-sdk";
import { isFraming } from "./names";
import { Pattern } from "./pattern";
import { RequestNotes, Template } from "./template";

/** What a rule does to the headers of a message. */
export abstract class Change {
  /** Whether there was anything to do. */
  abstract apply(headers: HeaderStreamManipulator, notes: RequestNotes | null): bool;
}

/** Makes a value the header's only one, or one more. */
@final
export class Write extends Change {
  constructor(
    private name: string,
    private value: Template,
    private more: bool,
  ) {
    super();
  }

  apply(headers: HeaderStreamManipulator, notes: RequestNotes | null): bool {
    const value = this.value.valueIn(headers, notes);
    if (!value || !fits(this.name, value)) return false;
    if (this.more) headers.addBytes(this.name, value);
    else headers.replaceBytes(this.name, value);
    return true;
  }
}

/** Gives a header all the values of another, and none of its own. */
@final
export class Copy extends Change {
  constructor(
    private from: string,
    private to: string,
  ) {
    super();
  }

  apply(headers: HeaderStreamManipulator, _notes: RequestNotes | null): bool {
    const values = headers.values(this.from);
    if (values.length === 0) return false;
    writeAll(headers, this.to, values);
    return true;
  }
}

@final
export class Remove extends Change {
  constructor(private name: string) {
    super();
  }

  apply(headers: HeaderStreamManipulator, _notes: RequestNotes | null): bool {
    if (!headers.has(this.name)) return false;
    headers.remove(this.name);
    return true;
  }
}

/** Removes all headers whose name begins so, but those that Envoy needs. */
@final
export class RemovePrefix extends Change {
  constructor(private prefix: string) {
    super();
  }

  apply(headers: HeaderStreamManipulator, _notes: RequestNotes | null): bool {
    const names: string[] = [];
    for (const each = headers.each(); each.next(); ) {
      if (each.nameStartsWith(this.prefix) && !isFraming(each.name)) names.push(each.name);
    }
    for (let i = 0; i < names.length; i++) headers.remove(names[i]);
    return names.length > 0;
  }
}

/** Writes each value of a header anew that the pattern matches. */
@final
export class Rewrite extends Change {
  constructor(
    private name: string,
    private pattern: Pattern,
    private value: Template,
  ) {
    super();
  }

  apply(headers: HeaderStreamManipulator, notes: RequestNotes | null): bool {
    const values = headers.values(this.name);
    let changed = false;
    for (let i = 0; i < values.length; i++) {
      if (!this.pattern.matches(values[i])) continue;
      const value = this.value.valueIn(headers, notes);
      if (!value || !fits(this.name, value)) continue;
      values[i] = value;
      changed = true;
    }
    if (changed) writeAll(headers, this.name, values);
    return changed;
  }
}

/** A path or an authority with a blank in it, or with nothing, would be another request to some server. */
function fits(name: string, value: ArrayBuffer): bool {
  if (!name.startsWith(":")) return true;
  for (let i = 0; i < value.byteLength; i++) if (load<u8>(changetype<usize>(value) + i) === 0x20) return false;
  return value.byteLength > 0;
}

function writeAll(headers: HeaderStreamManipulator, name: string, values: ArrayBuffer[]): void {
  headers.replaceBytes(name, values[0]);
  for (let i = 1; i < values.length; i++) headers.addBytes(name, values[i]);
}

/** A change, and when it is made. */
@final
export class Rule {
  change: Change;
  /** Empty when it is not counted. */
  name: string = "";
  match: RequestMatch = new RequestMatch();
  /** Whether `match` names anything. */
  matchesSome: bool = false;
  /** What the response must be, in rules of responses. */
  responseHeaders: HeaderCondition[] = [];

  constructor(change: Change) {
    this.change = change;
  }
}
