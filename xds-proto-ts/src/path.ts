/** One step on the way into a value, as a chain: it is written out only for what is reported. */
export interface Path {
  /** The step before; undefined at the value itself, whose key means nothing. */
  readonly within: Path | undefined;
  /** The key of a member, or the index of an item. */
  readonly key: string | number;
}

/** The path as people write it: "routes[2].name", and 'metadata["envoy.lb"]' for a key that is no plain word. */
export function pathText({ within, key }: Path): string {
  if (within === undefined) return "";
  const before = pathText(within);
  if (typeof key === "number") return `${before}[${key}]`;
  if (!/^@?[A-Za-z_]\w{0,99}$/.test(key)) return `${before}[${JSON.stringify(shortened(key, 100))}]`;
  return before === "" ? key : `${before}.${key}`;
}

/** The text, cut where it is longer than a message should repeat. */
export function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
