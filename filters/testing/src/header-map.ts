import { type ByteString, type Bytes, byteString, textOf } from "./bytes.ts";
import { onceInRequests, onceInResponses, onceInResponseTrailers } from "./once-headers.ts";
import type { Pair } from "./pairs.ts";

const once: Readonly<Record<HeaderMapKind, ReadonlySet<string>>> = {
  request: onceInRequests,
  response: onceInResponses,
  requestTrailers: new Set(),
  responseTrailers: onceInResponseTrailers,
};

export type HeaderMapKind = "request" | "response" | "requestTrailers" | "responseTrailers";

/** Headers as a test writes them. A string stands for its UTF-8 bytes, an array for a header with several values. */
export type HeadersInit =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | readonly (readonly [name: string, value: Bytes])[];

/** Headers or trailers as Envoy keeps them: names in lower case, pseudo headers first, some names only once. */
export class HeaderMap {
  readonly kind: HeaderMapKind;
  #pairs: Pair[] = [];

  constructor(kind: HeaderMapKind, init: HeadersInit = []) {
    this.kind = kind;
    if (isPairs(init)) for (const [name, value] of init) this.add(byteString(name), byteString(value));
    else {
      for (const [name, values] of Object.entries(init)) {
        for (const value of typeof values === "string" ? [values] : (values ?? [])) {
          this.add(byteString(name), byteString(value));
        }
      }
    }
  }

  get pairs(): readonly Pair[] {
    return this.#pairs;
  }

  /** The size of all names and values, without separators. */
  get byteSize(): number {
    return this.#pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  }

  /** The first value. */
  get(name: ByteString): ByteString | undefined {
    const wanted = this.#nameOf(name);
    return this.#pairs.find(([own]) => own === wanted)?.[1];
  }

  add(name: ByteString, value: ByteString): void {
    const own = this.#nameOf(name);
    const at = once[this.kind].has(own) ? this.#pairs.findIndex(([other]) => other === own) : -1;
    const before = this.#pairs[at]?.[1];
    if (before === undefined) {
      if (own.startsWith(":")) this.#pairs.splice(this.#pseudoHeaders, 0, [own, value]);
      else this.#pairs.push([own, value]);
    } else if (value !== "") this.#pairs[at] = [own, before === "" ? value : `${before},${value}`];
  }

  /** Replaces all values of the name by this one, at the end of the headers. */
  set(name: ByteString, value: ByteString): void {
    this.remove(name);
    this.add(name, value);
  }

  remove(name: ByteString): void {
    const unwanted = this.#nameOf(name);
    this.#pairs = this.#pairs.filter(([own]) => own !== unwanted);
  }

  replaceAll(pairs: readonly Pair[]): void {
    this.#pairs = [];
    for (const [name, value] of pairs) this.add(name, value);
  }

  copy(): HeaderMap {
    const copy = new HeaderMap(this.kind);
    copy.#pairs = [...this.#pairs];
    return copy;
  }

  get #pseudoHeaders(): number {
    const first = this.#pairs.findIndex(([name]) => !name.startsWith(":"));
    return first < 0 ? this.#pairs.length : first;
  }

  /** In requests, "host" is another name for ":authority". */
  #nameOf(name: ByteString): ByteString {
    const lower = name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
    return lower === "host" && this.kind === "request" ? ":authority" : lower;
  }
}

/** Headers as a test reads them: text, with names in any case. */
export class Headers implements Iterable<readonly [name: string, value: string]> {
  readonly #pairs: readonly Pair[];

  constructor(map: HeaderMap | undefined) {
    this.#pairs = map === undefined ? [] : [...map.pairs];
  }

  /** All values, joined with ", "; undefined when there are none. */
  get(name: string): string | undefined {
    const values = this.getAll(name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  getAll(name: string): readonly string[] {
    const wanted = byteString(name.toLowerCase());
    return this.#pairs.filter(([own]) => own === wanted).map(([, value]) => textOf(value));
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (const [name, value] of this.#pairs) yield [textOf(name), textOf(value)];
  }

  /** For assert.deepEqual: one entry for each name. Several values are joined with ", ". */
  toObject(): Record<string, string> {
    return Object.fromEntries([...this].map(([name]) => [name, this.get(name) ?? ""]));
  }
}

function isPairs(init: HeadersInit): init is readonly (readonly [string, Bytes])[] {
  return Array.isArray(init);
}
