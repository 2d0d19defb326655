import { MediaTypes, RequestMatch, stream_context } from "@chancery/filter-sdk";
import { JsonLimits } from "./json-guard";

/** A rule for the bodies of the requests that it matches. */
@final
export class Rule {
  name: string;
  match: RequestMatch;
  /** True: only count the requests that the rule would reject. */
  dryRun: bool = false;
  /** True: a request must have a body. */
  required: bool = false;
  maxBytes: i64 = i64.MAX_VALUE;
  /** The allowed types; null for any. */
  contentTypes: MediaTypes | null = null;
  /** The limits of JSON; null when the body need not be JSON. */
  json: JsonLimits | null = null;
  /** True: a body with a content coding passes without being read as JSON. */
  passEncoded: bool = false;

  constructor(name: string, match: RequestMatch) {
    this.name = name;
    this.match = match;
  }

  /** Checks the headers of the running callback's request, which has a body. Returns the reason to reject it, or "". */
  rejectsHeaders(): string {
    const headers = stream_context.headers.request;
    const length = headers.get("content-length");
    if (length !== "" && (length.length > 18 || I64.parseInt(length) > this.maxBytes)) return "too-large";
    const contentTypes = this.contentTypes;
    if (contentTypes && !contentTypes.matches(headers.get("content-type"))) return "content-type";
    return this.json && !this.passEncoded && isEncoded() ? "content-encoding" : "";
  }

  /** True when the body of this request is read as JSON. */
  readsJson(): bool {
    return this.json !== null && !(this.passEncoded && isEncoded());
  }
}

/** True when the body of the running callback's request is compressed or has another content coding. */
function isEncoded(): bool {
  const headers = stream_context.headers.request;
  return headers.has("content-encoding") && headers.get("content-encoding") !== "identity";
}
