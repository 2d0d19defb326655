import { HeaderPair, Headers } from "@chancery/filter-sdk";

/** What is done with a request. All that is sent with a refusal is encoded when the filter is configured. */
@final
export class Verdict {
  rule: string;
  allow: bool;
  /** False for a refusal in dry run: it is counted, and the request goes on. */
  enforced: bool = true;
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

/** A string of JSON. The reason is printable ASCII: it also goes into a header. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
