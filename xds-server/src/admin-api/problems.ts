import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import type { Problem } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { component } from "./components.ts";

const problem = component(
  "Problem",
  z.object({
    code: z.string().describe("Stays the same between releases. docs/PROBLEMS.md explains each code.") as z.ZodType<
      ProblemCode,
      string
    >,
    message: z.string().describe("The action that failed, and why."),
    kind: z
      .string()
      .exactOptional()
      .describe("The kind of the document at fault. Absent when no document is at fault."),
    name: z
      .string()
      .exactOptional()
      .describe("The name of the document at fault. Absent when no document is at fault."),
    path: z
      .string()
      .describe("The place of the fault, such as `spec.routes[2].cluster`. Empty for the whole document or request."),
    found: z
      .string()
      .exactOptional()
      .describe("The value at that place, shortened. Absent for secrets and for missing values."),
    hint: z.string().exactOptional().describe("What to do, often the nearest valid name."),
    source: z
      .string()
      .exactOptional()
      .describe("The place of the document, such as `body:12` (a line) or `body[2]` (a position in a list)."),
  }) satisfies z.ZodType<Problem>,
);

export const problemDetails = component(
  "ProblemDetails",
  z.object({
    type: z.string().describe("`urn:chancery:problem:` and the code of the first problem."),
    title: z.string().describe("The name of the HTTP status."),
    status: z.int().describe("The HTTP status."),
    detail: z.string().describe("The message of the first problem, and the number of further ones."),
    problems: z.array(problem).describe("All problems that were found."),
  }),
);
/** The response body of every rejected request: problem details (RFC 9457) with all problems that were found. */
export type ProblemDetails = Immutable<z.infer<typeof problemDetails>>;
