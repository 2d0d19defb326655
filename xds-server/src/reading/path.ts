/** Steps from a document to a place in it. */
export type Path = readonly PropertyKey[];

const plain = /^[A-Za-z_@][\w@-]*$/;

/** The path in the form that problems show: `spec.routes[2].cluster`, `spec.metadata["a.b"]`. */
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

/** The value at a path, or undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

const maxShown = 80;

/** A value in the form that problems show: a text without quotes, any other value as JSON, shortened. */
export function shown(value: unknown): string | undefined {
  return shortened(typeof value === "string" ? value : JSON.stringify(value));
}

/** A value as JSON, shortened, for faults of type: the text "80" must look different from the number 80. */
export const shownAsJson = (value: unknown): string | undefined => shortened(JSON.stringify(value));

const shortened = (text: string | undefined): string | undefined =>
  text !== undefined && text.length > maxShown ? `${text.slice(0, maxShown - 3)}...` : text;
