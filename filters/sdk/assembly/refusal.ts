import { HeaderPair, Headers } from "./header-pairs";
import { send_http_response } from "./stream";
import { FilterHeadersStatusValues } from "./values";

/** An answer that refuses a request and says why. All that is sent is encoded when it is made, to be sent again and again. */
@final
export class Refusal {
  private status: u32;
  private details: string;
  private body: ArrayBuffer;
  private headers: Headers;

  /**
   * `details` is for the access log's %RESPONSE_CODE_DETAILS%. The reason, printable ASCII, is the value of `header` and
   * makes the body: a line of text, or JSON.
   */
  constructor(status: u32, details: string, header: string, reason: string, json: bool) {
    this.status = status;
    this.details = details;
    this.body = String.UTF8.encode(json ? `{"error":"denied","reason":${quoted(reason)}}\n` : `${reason}\n`);
    this.headers = [
      HeaderPair.of("content-type", json ? "application/json" : "text/plain; charset=utf-8"),
      HeaderPair.of(header, reason),
    ];
  }

  /** With one more header. */
  with(name: string, value: string): Refusal {
    this.headers.push(HeaderPair.of(name, value));
    return this;
  }

  /** Answers the request of the running callback, which is to return what this does. */
  send(): FilterHeadersStatusValues {
    send_http_response(this.status, this.details, this.body, this.headers);
    return FilterHeadersStatusValues.StopIteration;
  }
}

/** A string of JSON, of printable ASCII. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
