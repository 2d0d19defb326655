import { MediaTypes, RequestMatch, stream_context } from "@chancery/filter-sdk";
import { JsonLimits } from "./json-guard";

/** What the bodies of some requests must be. */
@final
export class Rule {
  name: string;
  match: RequestMatch;
  /** Only counts what it would refuse. */
  dryRun: bool = false;
  /** A request must have a body. */
  required: bool = false;
  maxBytes: i64 = i64.MAX_VALUE;
  /** Any when null. */
  contentTypes: MediaTypes | null = null;
  /** The body must be JSON. */
  json: JsonLimits | null = null;
  /** A body in a content coding passes without being read as JSON. */
  passEncoded: bool = false;

  constructor(name: string, match: RequestMatch) {
    this.name = name;
    this.match = match;
  }

  /** Why the headers of the running callback's request, which has a body, are refused; empty when they are not. */
  rejectsHeaders(): string {
    const headers = stream_context.headers.request;
    const length = headers.get("content-length");
    if (length !== "" && (length.length > 18 || I64.parseInt(length) > this.maxBytes)) return "too-large";
    const contentTypes = this.contentTypes;
    if (contentTypes && !contentTypes.matches(headers.get("content-type"))) return "content-type";
    return this.json && !this.passEncoded && isEncoded() ? "content-encoding" : "";
  }

  /** Whether the body of that request is read as JSON. */
  readsJson(): bool {
    return this.json !== null && !(this.passEncoded && isEncoded());
  }
}

/** The body of the running callback's request is compressed, or in another coding. */
function isEncoded(): bool {
  const headers = stream_context.headers.request;
  return headers.has("content-encoding") && headers.get("content-encoding") !== "identity";
}
