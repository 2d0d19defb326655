/** Counts by name. A name whose count is zero uses no memory. */
export interface CountByName {
  get(name: string): number;
  /** Adds one, until the returned function is called. */
  add(name: string): () => void;
}

export function countByName(): CountByName {
  const counts = new Map<string, number>();
  const get = (name: string): number => counts.get(name) ?? 0;
  return {
    get,
    add(name) {
      counts.set(name, get(name) + 1);
      return () => {
        if (get(name) > 1) counts.set(name, get(name) - 1);
        else counts.delete(name);
      };
    },
  };
}
