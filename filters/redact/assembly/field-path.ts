/** One step of a path into JSON. */
@final
export class Step {
  /** The name of a member; null for any member or element. */
  name: ArrayBuffer | null = null;
  isElement: bool = false;
  /** True for `**`: any number of members and elements, also none. */
  isDeep: bool = false;

  /** True when the step matches the member with this name, in UTF-8. */
  leadsToMember(bytes: usize, size: i32): bool {
    if (this.isElement) return false;
    const name = this.name;
    if (name === null) return true;
    return name.byteLength === size && memory.compare(changetype<usize>(name), bytes, size) === 0;
  }
}

/** Parses a path such as `users[*].email`, `**.password` or `"a.b".*`. Returns no steps when the path is not valid. */
export function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  const none: Step[] = [];
  let at = 0;
  while (at < path.length) {
    const step = new Step();
    if (path.startsWith("[*]", at)) {
      step.isElement = true;
      at += 3;
    } else {
      if (steps.length > 0) {
        if (path.charAt(at) !== ".") return none;
        at++;
      }
      const end = path.charAt(at) === '"' ? quotedEnd(path, at) : plainEnd(path, at);
      if (end <= at) return none;
      const isQuoted = path.charAt(at) === '"';
      const name = isQuoted ? path.substring(at + 1, end - 1) : path.substring(at, end);
      at = end;
      if (!isQuoted && name === "**") step.isDeep = true;
      else if (isQuoted || name !== "*") {
        if (!isQuoted && name.includes("*")) return none;
        step.name = String.UTF8.encode(name);
      }
    }
    steps.push(step);
  }
  return steps.length > 0 && steps[steps.length - 1].isDeep ? none : steps;
}

/** The end of an unquoted name. */
function plainEnd(path: string, start: i32): i32 {
  let end = start;
  while (end < path.length && !'.[]"'.includes(path.charAt(end))) end++;
  return end;
}

/** The position after the closing quote, or -1 when there is none. */
function quotedEnd(path: string, start: i32): i32 {
  return path.indexOf('"', start + 1) + 1 || -1;
}
