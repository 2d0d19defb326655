import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import type { ProblemDetails } from "../admin-api/problems.ts";
import { type Fault, type FaultContext, type Problem, problemOf } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { ProblemsError } from "../model/problems-error.ts";

/** Rejects a request. Only thrown in this folder; Fastify's error handler sends the response. */
export class RequestError extends ProblemsError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, problems: readonly Problem[], headers: Readonly<Record<string, string>> = {}) {
    super(problems);
    this.status = status;
    this.headers = headers;
  }
}

/** The optional parts of a rejection with one fault. */
type More = Omit<Fault, "code" | "message"> & Pick<FaultContext, "kind" | "name">;

/** A rejection with one fault. */
export function requestError(status: number, code: ProblemCode, message: string, more: More = {}): RequestError {
  return new RequestError(status, [problemOf({ ...more, code, message }, more)]);
}

export function sendError(reply: FastifyReply, { status, problems, headers }: RequestError): FastifyReply {
  // Sent as bytes: Fastify would add a charset to text, and this media type has none.
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

/** The maximum length of the operator's own text in an answer, in characters. */
const maxFound = 80;

/** Makes text fit for a problem's `found`: one line, shortened. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > maxFound ? `${line.slice(0, maxFound)}…` : line;
}
