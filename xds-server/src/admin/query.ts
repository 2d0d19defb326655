import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { type Problem, problemOf } from "../model/problem.ts";
import { RequestError, shortened } from "./problem-json.ts";

/** Reads the query string by its schema. The rejection lists all unknown parameters and wrong values. */
export function queryOf<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  const query = request.query as Readonly<Record<string, unknown>>;
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  throw new RequestError(
    400,
    result.error.issues.flatMap((issue) => queryProblems(issue, query)),
  );
}

function queryProblems(issue: z.core.$ZodIssue, query: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => queryProblem(shortened(key), `the parameter "${shortened(key)}" is unknown`));
  }
  const name = String(issue.path[0] ?? "");
  const found = query[name] === undefined ? undefined : shortened(String(query[name]));
  return [queryProblem(name, `"${name}" ${issue.message}`, found)];
}

function queryProblem(name: string, message: string, found?: string): Problem {
  const fault = { code: "QUERY_INVALID", message, path: `query.${name}`, found } as const;
  return problemOf(fault, { action: "Cannot read the query" });
}
