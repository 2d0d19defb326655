/** Steps from a document to a place in it. */
export type Path = readonly PropertyKey[];

const plain = /^[A-Za-z_@][\w@-]*$/;

/** The path as operators read it: `spec.routes[2].cluster`, `spec.metadata["a.b"]`. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      const key = String(step);
      if (!plain.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join("");
}

/** What stands at a path, or undefined when nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

const maxShown = 80;

/** A value as it is shown in a problem: JSON, shortened. */
export function shown(value: unknown): string | undefined {
  const text = JSON.stringify(value);
  if (text === undefined || text.length <= maxShown) return text;
  return `${text.slice(0, maxShown - 3)}...`;
}
