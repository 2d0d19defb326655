/** The path of a member: "cluster.name", and with a key that is no plain word, 'metadata["envoy.lb"]'. */
export function memberPath(path: string, key: string): string {
  if (!/^@?[A-Za-z_]\w{0,99}$/.test(key)) return `${path}[${JSON.stringify(shortened(key, 100))}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The path of an item of a list: "routes[2]". */
export function itemPath(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** The text, cut where it is longer than a message should repeat. */
export function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
