import { stream_context } from "@chancery/filter-sdk";
import { Condition } from "./condition";
import { Identity, PolicyRequest } from "./policy-request";
import { Verdict } from "./verdict";

/** A condition that one of a header's values must fulfil. */
@final
export class HeaderCondition {
  /** In lower case. */
  name: string;
  wish: Condition;

  constructor(name: string, wish: Condition) {
    this.name = name;
    this.wish = wish;
  }

  matches(): bool {
    const headers = stream_context.headers.request;
    const exact = this.wish.exact;
    if (exact !== null) return headers.equals(this.name, exact);
    const prefix = this.wish.prefix;
    if (prefix !== null) return headers.startsWith(this.name, prefix);
    if (this.wish.suffix === null) return headers.has(this.name) === this.wish.present;
    for (const each = headers.each(); each.next(); ) {
      if (each.nameEquals(this.name) && this.wish.accepts(each.value)) return true;
    }
    return false;
  }
}

/** A condition that one of a query parameter's values must fulfil. Name and wish are bytes, as in `Query`. */
@final
export class QueryCondition {
  name: string;
  wish: Condition;

  constructor(name: string, wish: Condition) {
    this.name = name;
    this.wish = wish;
  }

  matches(request: PolicyRequest): bool {
    const query = request.query;
    for (let i = 0; i < query.length; i++) {
      if (query.name(i) !== this.name) continue;
      if (!this.wish.present) return false;
      if (this.wish.accepts(query.value(i))) return true;
    }
    return !this.wish.present;
  }
}

/** A condition that a name in the client's certificate must fulfil. */
@final
export class IdentityCondition {
  kind: Identity;
  wish: Condition;

  constructor(kind: Identity, wish: Condition) {
    this.kind = kind;
    this.wish = wish;
  }

  matches(request: PolicyRequest): bool {
    const name = request.identity(this.kind);
    return name === "" ? !this.wish.present : this.wish.accepts(name);
  }
}

/** A rule matches when all its conditions match. Without conditions, it matches every request. */
@final
export class Rule {
  verdict: Verdict;
  path: Condition | null = null;
  methods: string[] = [];
  headers: HeaderCondition[] = [];
  query: QueryCondition[] = [];
  identity: IdentityCondition[] = [];

  constructor(verdict: Verdict) {
    this.verdict = verdict;
  }

  /** Checks the cheapest conditions first. */
  matches(request: PolicyRequest): bool {
    const path = this.path;
    if (path !== null && !path.accepts(request.path)) return false;
    if (this.methods.length > 0 && !this.methodMatches()) return false;
    for (let i = 0; i < this.headers.length; i++) if (!this.headers[i].matches()) return false;
    for (let i = 0; i < this.query.length; i++) if (!this.query[i].matches(request)) return false;
    for (let i = 0; i < this.identity.length; i++) if (!this.identity[i].matches(request)) return false;
    return true;
  }

  private methodMatches(): bool {
    for (let i = 0; i < this.methods.length; i++) {
      if (stream_context.headers.request.equals(":method", this.methods[i])) return true;
    }
    return false;
  }
}
