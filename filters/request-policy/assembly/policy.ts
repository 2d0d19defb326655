import { HeaderPair, Headers, stream_context } from "@chancery/filter-sdk";

/** What a header must be for a rule to match. */
export class HeaderCondition {
  /** In lower case. */
  name: string;
  exact: string | null = null;
  prefix: string | null = null;
  present: bool = true;

  constructor(name: string) {
    this.name = name;
  }

  matches(): bool {
    const headers = stream_context.headers.request;
    const exact = this.exact;
    if (exact !== null) return headers.equals(this.name, exact);
    const prefix = this.prefix;
    if (prefix !== null) return headers.startsWith(this.name, prefix);
    return headers.has(this.name) === this.present;
  }
}

/** What is done with a request. All that is sent with a refusal is encoded when the filter is configured. */
export class Verdict {
  rule: string;
  allow: bool;
  status: u32;
  /** For the access log's %RESPONSE_CODE_DETAILS%. */
  details: string;
  body: ArrayBuffer;
  headers: Headers;

  constructor(rule: string, allow: bool, status: u32, reason: string, json: bool) {
    this.rule = rule;
    this.allow = allow;
    this.status = status;
    this.details = `request_policy_denied{${rule}}`;
    this.body = String.UTF8.encode(json ? `{"error":"denied","reason":${quoted(reason)}}\n` : `${reason}\n`);
    this.headers = [
      HeaderPair.of("content-type", json ? "application/json" : "text/plain; charset=utf-8"),
      HeaderPair.of("x-policy-reason", reason),
    ];
  }
}

/** Matches when all that it names matches; a rule that names nothing matches every request. */
export class Rule {
  verdict: Verdict;
  path: string | null = null;
  pathPrefix: string | null = null;
  methods: string[] = [];
  headers: HeaderCondition[] = [];

  constructor(verdict: Verdict) {
    this.verdict = verdict;
  }

  matches(path: string): bool {
    const exact = this.path;
    if (exact !== null && path !== exact) return false;
    const prefix = this.pathPrefix;
    if (prefix !== null && !path.startsWith(prefix)) return false;
    if (this.methods.length > 0 && !this.methodMatches()) return false;
    for (let i = 0; i < this.headers.length; i++) if (!this.headers[i].matches()) return false;
    return true;
  }

  private methodMatches(): bool {
    for (let i = 0; i < this.methods.length; i++) {
      if (stream_context.headers.request.equals(":method", this.methods[i])) return true;
    }
    return false;
  }
}

/** Rules in order: the first that matches decides, and the default when none does. */
export class Policy {
  rules: Rule[];
  otherwise: Verdict;
  private readsPath: bool = false;

  constructor(rules: Rule[], otherwise: Verdict) {
    this.rules = rules;
    this.otherwise = otherwise;
    for (let i = 0; i < rules.length; i++) {
      if (rules[i].path !== null || rules[i].pathPrefix !== null) this.readsPath = true;
    }
  }

  /** Decides about the request of the running callback. */
  decide(): Verdict {
    const path = this.readsPath ? pathWithoutQuery(stream_context.headers.request.get(":path")) : "";
    for (let i = 0; i < this.rules.length; i++) if (this.rules[i].matches(path)) return this.rules[i].verdict;
    return this.otherwise;
  }
}

function pathWithoutQuery(path: string): string {
  const query = path.indexOf("?");
  return query < 0 ? path : path.substring(0, query);
}

/** A string of JSON. The reason is printable ASCII: it also goes into a header. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
