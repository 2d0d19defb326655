import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Problem } from "../model/problem.ts";
import { RequestError, shortened } from "./problem-json.ts";

/** Reads the query string by its schema; unknown parameters and wrong values are rejected, all of them at once. */
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
    return issue.keys.map((key) => ({
      code: "QUERY_INVALID",
      message: `Cannot read the query: the parameter "${shortened(key)}" is unknown`,
      path: `query.${shortened(key)}`,
    }));
  }
  const name = String(issue.path[0] ?? "");
  return [
    {
      code: "QUERY_INVALID",
      message: `Cannot read the query: "${name}" ${issue.message}`,
      path: `query.${name}`,
      ...(query[name] === undefined ? {} : { found: shortened(String(query[name])) }),
    },
  ];
}
