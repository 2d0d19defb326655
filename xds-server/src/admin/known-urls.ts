import { nearest } from "../model/nearest.ts";

/** A URL that the API serves. */
interface KnownUrl {
  /** "/api/v1/clusters/:name". */
  readonly pattern: string;
  readonly methods: Set<string>;
}

/** All URLs of the API with their methods, so that the answer to a wrong URL or method can name the right one. */
export class KnownUrls {
  readonly #urls = new Map<string, KnownUrl>();

  add(pattern: string, methods: readonly string[]): void {
    const known = this.#urls.get(pattern) ?? { pattern, methods: new Set() };
    for (const method of methods) known.methods.add(method);
    this.#urls.set(pattern, known);
  }

  /** The methods of the URL that a path matches. Undefined when it matches none. */
  methodsOf(path: string): readonly string[] | undefined {
    const methods = [...this.#urls.values()]
      .filter(({ pattern }) => matches(path, pattern))
      .flatMap((url) => [...url.methods]);
    return methods.length === 0 ? undefined : [...new Set(methods)].sort();
  }

  /** The URL most similar to a path, with the parameters of the path filled in. */
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
