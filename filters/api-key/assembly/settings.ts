import { Rejection } from "@chancery/filter-sdk";
import { Keys } from "./keys";

/** A path, or a prefix of paths, that needs no key. It is compared without the query. */
export class Exemption {
  path: string;
  /** True when longer paths with this prefix match too. */
  isPrefix: bool;

  constructor(path: string, isPrefix: bool) {
    this.path = path;
    this.isPrefix = isPrefix;
  }
}

/** A reason to reject a request, and the answer to send. */
export class Denial {
  /** The value of a metric's tag. */
  reason: string;
  rejection: Rejection;

  constructor(reason: string, status: u32, text: string, json: bool) {
    this.reason = reason;
    this.rejection = new Rejection(status, `api_key_denied{${reason}}`, "x-api-key-reason", text, json);
    // RFC 9110, section 15.5.2, demands a challenge.
    if (status === 401) this.rejection.with("www-authenticate", "ApiKey");
  }
}

/** The configuration. Names of headers are in lower case. */
export class Settings {
  keys: Keys;
  header: string = "x-api-key";
  /** The query parameter that may contain the key; empty for none. */
  query: string = "";
  identityHeader: string = "x-client-id";
  exempt: Exemption[] = [];
  missing: Denial;
  unknown: Denial;
  expired: Denial;
  path: Denial;
  method: Denial;

  constructor(keys: Keys, json: bool) {
    this.keys = keys;
    this.missing = new Denial("missing", 401, "an API key is required", json);
    this.unknown = new Denial("unknown", 401, "the API key is not valid", json);
    this.expired = new Denial("expired", 401, "the API key has expired", json);
    this.path = new Denial("path", 403, "the API key is not for this path", json);
    this.method = new Denial("method", 403, "the API key is not for this method", json);
  }

  exempts(path: string): bool {
    for (let i = 0; i < this.exempt.length; i++) {
      const each = this.exempt[i];
      if (each.isPrefix ? path.startsWith(each.path) : path === each.path) return true;
    }
    return false;
  }
}
