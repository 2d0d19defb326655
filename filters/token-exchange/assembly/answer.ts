import {
  BufferTypeValues,
  get_buffer_string,
  isPrintable,
  JsonKind,
  JsonValue,
  lowerCase,
  parseJson,
  stream_context,
} from "@chancery/filter-sdk";
import { failures, timeouts } from "./counters";
import { Denied, Granted, Outcome } from "./outcome";
import { Settings } from "./settings";

/** A larger body is a failure. */
const MOST_BODY: u32 = 16384;
/** A body with more commas is a failure too: the fuel to read it grows with the square of its members. */
const MOST_COMMAS: i32 = 256;
/** A longer answer is not cached, so that the cache is bounded in bytes too. */
const MOST_KEPT: i32 = 4096;

/** An answer of the service. */
@final
export class Answer {
  outcome: Outcome;
  /** How long the answer is cached; 0 when it is not. */
  keptMs: i64;

  constructor(outcome: Outcome, keptMs: i64) {
    this.outcome = outcome;
    this.keptMs = keptMs;
  }
}

/**
 * Reads the answer to the call of the running callback. `headers` is 0 when there is none. Returns null for a failure.
 */
export function readAnswer(settings: Settings, headers: u32, body_size: u32): Answer | null {
  const answer = stream_context.headers.http_callback;
  const status = headers === 0 ? 0 : <u32>I32.parseInt(answer.get(":status"));
  if (status === 401 || status === 403) {
    const denied = new Denied(status, answer.get("www-authenticate"), settings.json);
    return new Answer(denied, allowedMs(settings.deniedKeptMs));
  }
  const granted = status >= 200 && status < 300 ? readGrant(settings, body_size) : null;
  if (granted) return granted;
  // Envoy answers 504 when the call reached its deadline.
  if (status === 504) timeouts.increment(1);
  else failures.increment(1);
  return null;
}

/** Null when a value is missing, or cannot be in a header. */
function readGrant(settings: Settings, body_size: u32): Answer | null {
  const answer = stream_context.headers.http_callback;
  let keptMs = allowedMs(settings.keptMs);
  let body: JsonValue | null = null;
  if (settings.readsBody) {
    if (body_size > MOST_BODY) return null;
    const text = get_buffer_string(BufferTypeValues.HttpCallResponseBody, 0, body_size);
    if (commasIn(text) > MOST_COMMAS) return null;
    const json = parseJson(text);
    if (json.problems.length > 0) return null;
    const expires = json.member("expires_in");
    if (expires.exists) keptMs = min(keptMs, expires.kind === JsonKind.Number ? secondsAsMs(expires.text) : 0);
    body = json;
  }
  const values: string[] = [];
  let length = 0;
  for (let i = 0; i < settings.given.length; i++) {
    const each = settings.given[i];
    const value = body !== null && each.member !== "" ? textOf(body.member(each.member)) : answer.get(each.header);
    if (value === "" || !isPrintable(value)) return null;
    values.push(each.prefix + value);
    length += each.prefix.length + value.length;
  }
  return new Answer(new Granted(values), length > MOST_KEPT ? 0 : keptMs);
}

function commasIn(text: string): i32 {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0x2c) count++;
  return count;
}

function textOf(json: JsonValue): string {
  return json.isString ? json.text : "";
}

/** Limits the time by the answer's cache-control (RFC 9111, section 5.2.2). */
function allowedMs(keptMs: i64): i64 {
  for (const each = stream_context.headers.http_callback.each(); each.next(); ) {
    if (!each.nameEquals("cache-control")) continue;
    const directives = lowerCase(each.value).split(",");
    for (let i = 0; i < directives.length; i++) {
      const directive = directives[i].trim();
      if (directive.startsWith("no-store") || directive.startsWith("no-cache")) return 0;
      if (directive.startsWith("max-age=")) keptMs = min(keptMs, secondsAsMs(directive.substring(8)));
    }
  }
  return keptMs;
}

/** Parses whole seconds. Any other text counts as 0. */
function secondsAsMs(text: string): i64 {
  let seconds: i64 = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    seconds = min<i64>(seconds * 10 + digit, i32.MAX_VALUE);
  }
  return seconds * 1000;
}
