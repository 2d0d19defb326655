import { nearest } from "../model/nearest.ts";

/** A URL that the API serves, such as "/api/v1/clusters/:name". */
interface KnownUrl {
  readonly pattern: string;
  readonly methods: Set<string>;
}

/** What is served where, so that a wrong URL or method can be answered with the right one. */
export class KnownUrls {
  readonly #urls = new Map<string, KnownUrl>();

  add(pattern: string, methods: readonly string[]): void {
    const known = this.#urls.get(pattern) ?? { pattern, methods: new Set() };
    for (const method of methods) known.methods.add(method);
    this.#urls.set(pattern, known);
  }

  /** The methods of the URL that a path belongs to, or undefined when there is none. */
  methodsOf(path: string): readonly string[] | undefined {
    const methods = [...this.#urls.values()]
      .filter(({ pattern }) => matches(path, pattern))
      .flatMap((url) => [...url.methods]);
    return methods.length === 0 ? undefined : [...new Set(methods)].sort();
  }

  /** The served URL that looks most like a path, its parameters as in the path. */
  nearest(path: string): string | undefined {
    const segments = path.split("/");
    const candidates = [...this.#urls.keys()]
      .map((pattern) => pattern.split("/"))
      .filter((pattern) => pattern.length === segments.length)
      .map((pattern) => pattern.map((part, index) => (part.startsWith(":") ? segments[index] : part)).join("/"));
    return nearest(path, candidates);
  }
}

function matches(path: string, pattern: string): boolean {
  const segments = path.split("/");
  const parts = pattern.split("/");
  return (
    segments.length === parts.length && parts.every((part, index) => part.startsWith(":") || part === segments[index])
  );
}
