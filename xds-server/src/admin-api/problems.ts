import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import type { Problem } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import { component } from "./components.ts";

const problem = component(
  "Problem",
  z.object({
    code: z.string().describe("Stable, explained in docs/PROBLEMS.md") as z.ZodType<ProblemCode, string>,
    message: z.string(),
    kind: z.string().exactOptional(),
    name: z.string().exactOptional(),
    path: z.string().describe('Where: "spec.routes[2].cluster"'),
    found: z.string().exactOptional(),
    hint: z.string().exactOptional(),
    source: z.string().exactOptional(),
  }) satisfies z.ZodType<Problem>,
);

export const problemDetails = component(
  "ProblemDetails",
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    problems: z.array(problem),
  }),
);
/** The body of every rejected request: problem details (RFC 9457) with every fault found. `type` names the first one's code. */
export type ProblemDetails = Immutable<z.infer<typeof problemDetails>>;
