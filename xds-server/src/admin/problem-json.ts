import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import type { ProblemDetails } from "../admin-api/problems.ts";
import { type Fault, type FaultContext, type Problem, problemOf } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { ProblemsError } from "../model/problems-error.ts";

/** Ends a request with a rejection. Thrown at the HTTP border only, where Fastify's error handler answers it. */
export class RequestError extends ProblemsError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, problems: readonly Problem[], headers: Readonly<Record<string, string>> = {}) {
    super(problems);
    this.status = status;
    this.headers = headers;
  }
}

/** What a rejection with one fault says beside the code and the message. */
type More = Omit<Fault, "code" | "message"> & Pick<FaultContext, "kind" | "name">;

/** A rejection with one fault. */
export function requestError(status: number, code: ProblemCode, message: string, more: More = {}): RequestError {
  return new RequestError(status, [problemOf({ ...more, code, message }, more)]);
}

export function sendError(reply: FastifyReply, { status, problems, headers }: RequestError): FastifyReply {
  // As bytes, since Fastify would add a charset to text, which this media type does not have.
  const body = Buffer.from(JSON.stringify(problemDetails(status, problems)));
  return reply.code(status).headers(headers).header("content-type", problemMediaType).send(body);
}

export function problemDetails(status: number, problems: readonly Problem[]): ProblemDetails {
  const [first, ...others] = problems;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return {
    type: first === undefined ? "about:blank" : `urn:chancery:problem:${first.code}`,
    title: STATUS_CODES[status] ?? "Rejected",
    status,
    detail: `${first?.message ?? STATUS_CODES[status]}${more}`,
    problems,
  };
}

export const problemMediaType = "application/problem+json";

/** The longest part of an operator's own text that an answer repeats. */
const maxFound = 80;

/** Text as a problem's `found` shows it: one line, shortened. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > maxFound ? `${line.slice(0, maxFound)}…` : line;
}
