import { HeaderPair, Headers } from "@chancery/filter-sdk";

/** A decision about a request. The answer of a rejection is encoded when the filter is configured. */
@final
export class Verdict {
  rule: string;
  allow: bool;
  /** False for a dry run: the rejection is counted, and the request passes. */
  enforced: bool = true;
  status: u32;
  /** The access log's %RESPONSE_CODE_DETAILS%. */
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

/** A JSON string. The reason is printable ASCII, because it is also the value of a header. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
