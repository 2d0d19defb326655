/** A path into a value, as a chain of steps. It becomes text only when something is reported. */
export interface Path {
  /** The step before; undefined for the value itself, whose key is not used. */
  readonly within: Path | undefined;
  /** The key of a member, or the index of an item. */
  readonly key: string | number;
}

/** The path as text: "routes[2].name", and 'metadata["envoy.lb"]' for a key that is not a plain word. */
export function pathText({ within, key }: Path): string {
  if (within === undefined) return "";
  const before = pathText(within);
  if (typeof key === "number") return `${before}[${key}]`;
  if (!/^@?[A-Za-z_]\w{0,99}$/.test(key)) return `${before}[${JSON.stringify(shortened(key, 100))}]`;
  return before === "" ? key : `${before}.${key}`;
}

/** Cuts a text at a maximum length. */
export function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
