import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { AnswerTo, Operation } from "../admin-api/operations.ts";
import type { ParamOf } from "../admin-api/routes.ts";
import { openapiSchema } from "./openapi.ts";
import { queryOf } from "./query.ts";

/** One request to an operation, with its parsed query and URL parameters. */
export interface Call<Query, Param extends string = string> {
  readonly query: Query;
  readonly params: Readonly<Record<Param, string>>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A row of routes.ts. */
interface Route<Url extends string> {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly url: Url;
}

/**
 * Serves one operation. Reads the query before it calls the handler. The handler returns the body of the response, or the
 * reply when the response has no body.
 */
export function serveOperation<Url extends string, Served extends Operation>(
  app: FastifyInstance,
  { method, url }: Route<Url>,
  operation: Served,
  handler: (
    call: Call<z.output<Served["query"]>, ParamOf<Url>>,
  ) => AnswerTo<Served> | FastifyReply | Promise<AnswerTo<Served> | FastifyReply>,
): void {
  app.route({
    method,
    url,
    schema: openapiSchema(operation),
    handler: (request, reply) => {
      const query = queryOf(request, operation.query) as z.output<Served["query"]>;
      const params = request.params as Readonly<Record<ParamOf<Url>, string>>;
      return handler({ query, params, request, reply });
    },
  });
}
