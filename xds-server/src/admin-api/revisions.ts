import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import { component, listOf, milliseconds } from "./components.ts";
import { changedDocument, documentChange } from "./documents.ts";

const revisionNumber = z
  .string()
  .regex(/^\d{1,15}$/, "must be a revision's number")
  .transform(Number);

export const revisionsQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "must be 1 to 1000")
    .transform(Number)
    .default(50)
    .describe("At most so many, 1 to 1000; 50 when absent"),
  before: revisionNumber.optional().describe("Only revisions before this one"),
});

export const diffQuery = z.strictObject({
  from: revisionNumber.describe("0 is the empty mesh before the first revision"),
  to: revisionNumber.optional().describe("The newest revision when absent"),
});

export const revisionParams = z.object({ revision: z.string().describe("The revision's number") });

const revisionHead = { revision: z.int(), time: milliseconds, author: z.string(), message: z.string() };
const revisionSummary = z.object({ ...revisionHead, changes: z.array(changedDocument) });
/** A revision without the content of the documents that it changed. */
export type RevisionSummary = Immutable<z.infer<typeof revisionSummary>>;

export const revisionList = component("RevisionList", listOf(revisionSummary));
export const revision = component("Revision", z.object({ ...revisionHead, changes: z.array(documentChange) }));
export const revisionDiff = component(
  "RevisionDiff",
  z.object({ from: z.int(), to: z.int(), changes: z.array(documentChange) }),
);
