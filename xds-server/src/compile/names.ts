import { didYouMean } from "../model/nearest.ts";
import { covers, overlap, type Scope } from "./built.ts";

/** The maximum number of names for which the nearest one is searched. Each search looks at all existing names. */
const maxSearches = 50;

/** The names of one kind of thing that documents refer to, with the scopes in which each exists. */
export class Names {
  /** The kind in messages: "cluster". */
  readonly noun: string;
  readonly #scopes = new Map<string, Scope[]>();
  readonly #hints = new Map<string, string | undefined>();

  constructor(noun: string) {
    this.noun = noun;
  }

  add(name: string, scope: Scope): void {
    const scopes = this.#scopes.get(name);
    if (scopes === undefined) this.#scopes.set(name, [scope]);
    else scopes.push(scope);
  }

  /** Whether the name exists for every node group of a scope. */
  has(name: string, user: Scope): boolean {
    return this.#scopes.get(name)?.some((scope) => covers(scope, user)) ?? false;
  }

  /** Whether the name exists for any node group of a scope. */
  hasSomewhere(name: string, user?: Scope): boolean {
    return this.#scopes.get(name)?.some((scope) => overlap(scope, user)) ?? false;
  }

  /** The message and hint of a problem when `has` is false. */
  missing(name: string, user: Scope): { readonly message: string; readonly hint: string | undefined } {
    const scopes = this.#scopes.get(name);
    if (scopes === undefined) {
      return { message: `${this.noun} "${name}" does not exist`, hint: this.#nearest(name) };
    }
    const groups = scopes.map((scope) => `"${scope}"`).join(", ");
    return {
      message: `${this.noun} "${name}" exists for node group ${groups} only, but is needed ${placeOf(user)}`,
      hint: `give both the same nodeGroup, or remove the nodeGroup of the ${this.noun}`,
    };
  }

  #nearest(name: string): string | undefined {
    if (!this.#hints.has(name) && this.#hints.size < maxSearches) {
      this.#hints.set(name, didYouMean(name, this.#scopes.keys()));
    }
    return this.#hints.get(name);
  }
}

const placeOf = (scope: Scope): string => (scope === undefined ? "in every node group" : `in "${scope}"`);
