import { didYouMean } from "../model/nearest.ts";
import { covers, overlap, type Scope } from "./built.ts";

/** How many different names get a search for the nearest one: each looks at all names there are. */
const maxSearches = 50;

/** What there is of one kind of thing that documents refer to, and where each is in force. */
export class Names {
  /** What it is called in messages: "cluster". */
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

  /** Whether the thing is there for everyone in a scope. */
  has(name: string, user: Scope): boolean {
    return this.#scopes.get(name)?.some((scope) => covers(scope, user)) ?? false;
  }

  /** Whether the thing is there for anyone in a scope. */
  hasSomewhere(name: string, user?: Scope): boolean {
    return this.#scopes.get(name)?.some((scope) => overlap(scope, user)) ?? false;
  }

  /** Why `has` said no, with the way out. */
  missing(name: string, user: Scope): { readonly message: string; readonly hint: string | undefined } {
    const scopes = this.#scopes.get(name);
    if (scopes === undefined) {
      return { message: `${this.noun} "${name}" does not exist`, hint: this.#nearest(name) };
    }
    const groups = scopes.map((scope) => `"${scope}"`).join(", ");
    return {
      message: `${this.noun} "${name}" is there for node group ${groups} only, and is needed ${placeOf(user)}`,
      hint: "give both the same nodeGroup, or take the nodeGroup away from what is referred to",
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
