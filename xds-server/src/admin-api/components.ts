import { z } from "zod";

/** The bodies and answers of the admin API under the names that `/openapi.json` gives them. */
export const components = z.registry<{ readonly id: string }>();

/** A schema that `/openapi.json` lists by name. */
export function component<S extends z.ZodType>(id: string, schema: S): S {
  components.add(schema, { id });
  return schema;
}

export const milliseconds = z.int().describe("Milliseconds since the epoch");
export const newestRevision = z.int().describe("The newest revision");

/** A list that belongs to a revision of the mesh. */
export const listOf = <S extends z.ZodType>(items: S) => z.object({ revision: newestRevision, items: z.array(items) });

/** The query of an operation that takes none. */
export const noQuery = z.strictObject({});
