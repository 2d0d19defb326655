import { z } from "zod";

/** The request and response bodies of the admin API, by their names in `/openapi.json`. */
export const components = z.registry<{ readonly id: string }>();

/** A schema that `/openapi.json` lists by name. */
export function component<S extends z.ZodType>(id: string, schema: S): S {
  components.add(schema, { id });
  return schema;
}

export const milliseconds = z.int().describe("Milliseconds since the epoch.");

/** A list, with the revision of the mesh at which it was read. */
export const listOf = <S extends z.ZodType>(items: S) =>
  z.object({
    revision: z.int().describe("The newest revision of the mesh. 0 before the first one."),
    items: z.array(items),
  });

/** The query of an operation without query parameters. */
export const noQuery = z.strictObject({});
