import { GrpcStatusValues, HeaderPair, send_local_response } from "@chancery/filter-sdk";

/** Answers a request whose body a rule rejects. Without `faults`, the answer is a sentence for the reason. */
export function reject(rule: string, reason: string, faults: string[], asJson: bool): void {
  const reported = faults.length > 0 ? faults : [sentenceOf(reason)];
  send_local_response(
    statusOf(reason),
    `body_guard_rejected{${rule},${reason}}`,
    String.UTF8.encode(asJson ? jsonOf(reason, reported) : `${reported.join("\n")}\n`),
    [
      HeaderPair.of("content-type", asJson ? "application/json" : "text/plain; charset=utf-8"),
      HeaderPair.of("x-body-guard-reason", reason),
    ],
    GrpcStatusValues.InvalidCode,
  );
}

function statusOf(reason: string): u32 {
  if (reason === "too-large") return 413;
  if (reason === "content-type" || reason === "content-encoding") return 415;
  return reason === "missing" || reason === "malformed" ? 400 : 422;
}

function sentenceOf(reason: string): string {
  if (reason === "too-large") return "the body is too large";
  if (reason === "content-type") return "this content type is not accepted";
  if (reason === "content-encoding") return "the body must not have a content coding";
  return "a body is required";
}

function jsonOf(reason: string, faults: string[]): string {
  const quoted: string[] = [];
  for (let i = 0; i < faults.length; i++) quoted.push(quotedJson(faults[i]));
  return `{"error":"body rejected","reason":"${reason}","faults":[${quoted.join(",")}]}\n`;
}

function quotedJson(text: string): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20) quoted += `\\u00${unit < 0x10 ? "0" : ""}${unit.toString(16)}`;
    else quoted += unit === 0x22 /* " */ || unit === 0x5c /* \ */ ? `\\${text.charAt(i)}` : text.charAt(i);
  }
  return `${quoted}"`;
}
