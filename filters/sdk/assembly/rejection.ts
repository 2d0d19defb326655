import { HeaderPair, Headers } from "./header-pairs";
import { send_http_response } from "./stream";
import { FilterHeadersStatusValues } from "./values";

/**
 * An answer that rejects a request with a reason. It is encoded once, when it is created, and can be sent many times.
 */
@final
export class Rejection {
  private status: u32;
  private details: string;
  private body: ArrayBuffer;
  private headers: Headers;

  /**
   * `details` is the access log's %RESPONSE_CODE_DETAILS%. The reason must be printable ASCII. It is the value of
   * `header`, and part of the body: a line of text, or JSON.
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

  /** Adds a header. Returns this object. */
  with(name: string, value: string): Rejection {
    this.headers.push(HeaderPair.of(name, value));
    return this;
  }

  /** Answers the request of the running callback. The callback must return the result of this method. */
  send(): FilterHeadersStatusValues {
    send_http_response(this.status, this.details, this.body, this.headers);
    return FilterHeadersStatusValues.StopIteration;
  }
}

/** A JSON string of printable ASCII. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
