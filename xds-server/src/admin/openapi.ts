import type { FastifySchema } from "fastify";
import { z } from "zod";
import { components, noQuery } from "../admin-api/components.ts";
import type { Operation } from "../admin-api/operations.ts";
import { problemDetails } from "../admin-api/problems.ts";
import { jsonMediaType, wasmMediaType, yamlMediaTypes } from "./body.ts";
import { problemMediaType } from "./problem-json.ts";

/** The description of an operation in `/openapi.json`. */
export function openapiSchema({ tags, summary, params, query, body, wasm, answer }: Operation): FastifySchema {
  const schema: FastifySchema = {
    tags,
    summary,
    response: {
      "2xx": content("The operation succeeded", answer, [jsonMediaType]),
      "4xx": content("The request is rejected. The body lists all problems that were found", problemDetails, [
        problemMediaType,
      ]),
    },
  };
  if (params !== undefined) schema.params = inline(params);
  if (query !== noQuery) schema.querystring = inline(query);
  if (body !== undefined)
    schema.body = content("The request body", body, [jsonMediaType, ...yamlMediaTypes.slice(0, 1)]);
  if (wasm) schema.body = { content: { [wasmMediaType]: { schema: { type: "string", format: "binary" } } } };
  return schema;
}

/** The schemas of all components, as JSON Schema. */
export function componentSchemas(): Record<string, object> {
  const { schemas } = z.toJSONSchema(components, { ...jsonSchemaOptions, uri: componentUri });
  // zod puts schemas that several components share, such as "any JSON", into a separate document. Here they become
  // components too.
  const { __shared: shared, ...own } = schemas;
  const all = { ...own, ...prefixed(shared?.$defs ?? {}) };
  const text = JSON.stringify(all, (key, value) => (key === "$schema" || key === "$id" ? undefined : value));
  return JSON.parse(text.replaceAll(`${componentUri("__shared")}#/$defs/`, componentUri(sharedPrefix)));
}

const sharedPrefix = "Shared_";

function prefixed(definitions: Readonly<Record<string, object>>): Record<string, object> {
  return Object.fromEntries(Object.entries(definitions).map(([id, schema]) => [`${sharedPrefix}${id}`, schema]));
}

const jsonSchemaOptions = { io: "input", unrepresentable: "any" } as const;

function componentUri(id: string): string {
  return `#/components/schemas/${id}`;
}

function inline(schema: z.ZodType): object {
  const { $schema: _dialect, ...inlined } = z.toJSONSchema(schema, jsonSchemaOptions);
  return inlined;
}

function content(description: string, schema: z.ZodType, mediaTypes: readonly string[]): object {
  const id = components.get(schema)?.id;
  if (id === undefined) throw new Error(`The schema of "${description}" is not a component`);
  const reference = { schema: { $ref: componentUri(id) } };
  return { description, content: Object.fromEntries(mediaTypes.map((type) => [type, reference])) };
}
