import { HeaderCondition, HeaderStreamManipulator, RequestMatch } from "@chancery/filter-sdk";
import { isFraming } from "./names";
import { Pattern } from "./pattern";
import { RequestNotes, Template } from "./template";

/** The change that a rule makes to the headers of a message. */
export abstract class Change {
  /** Makes the change. False when there was nothing to change. */
  abstract apply(headers: HeaderStreamManipulator, notes: RequestNotes | null): bool;
}

/** Sets a header to one value, or adds a value. */
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

/** Replaces the values of a header by those of another. */
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

/** Removes all headers with a prefix, except those that Envoy controls. */
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

/** Replaces each value of a header that the pattern matches. */
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

/** False for a path or an authority that is empty or has a blank: some servers would read another request. */
function fits(name: string, value: ArrayBuffer): bool {
  if (!name.startsWith(":")) return true;
  for (let i = 0; i < value.byteLength; i++) if (load<u8>(changetype<usize>(value) + i) === 0x20) return false;
  return value.byteLength > 0;
}

function writeAll(headers: HeaderStreamManipulator, name: string, values: ArrayBuffer[]): void {
  headers.replaceBytes(name, values[0]);
  for (let i = 1; i < values.length; i++) headers.addBytes(name, values[i]);
}

/** A change and its conditions. */
@final
export class Rule {
  change: Change;
  /** The value of the metric's tag; empty when the rule is not counted. */
  name: string = "";
  match: RequestMatch = new RequestMatch();
  /** True when `match` has conditions. */
  matchesSome: bool = false;
  /** The conditions on the response, in rules for responses. */
  responseHeaders: HeaderCondition[] = [];

  constructor(change: Change) {
    this.change = change;
  }
}
