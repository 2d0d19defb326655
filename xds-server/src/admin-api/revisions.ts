import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import { component, listOf, milliseconds } from "./components.ts";
import { changedDocument, documentChange } from "./documents.ts";

const revisionNumber = z
  .string()
  .regex(/^\d{1,15}$/, "must be the number of a revision")
  .transform(Number);

export const revisionsQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "must be 1 to 1000")
    .transform(Number)
    .default(50)
    .describe("The maximum number of revisions in the response, 1 to 1000. When absent: 50."),
  before: revisionNumber
    .optional()
    .describe("List only revisions older than this one. When absent: start at the newest."),
});

export const diffQuery = z.strictObject({
  from: revisionNumber.describe("The revision to compare from. 0 is the empty mesh before the first revision."),
  to: revisionNumber.optional().describe("The revision to compare with. When absent: the newest one."),
});

export const revisionParams = z.object({ revision: z.string().describe("The number of the revision.") });

const revisionHead = {
  revision: z.int().describe("The number of the revision."),
  time: milliseconds.describe("The time of the write, in milliseconds since the epoch."),
  author: z
    .string()
    .describe(
      "Who made the write: the value of the header `x-chancery-author`, `admin` without it, or `files` for watched files.",
    ),
  message: z.string().describe("Why the write was made. Empty when the write gave no message."),
};
const revisionSummary = z.object({
  ...revisionHead,
  changes: z.array(changedDocument).describe("The documents that the revision changed, without their content."),
});
/** A revision without the content of the documents that it changed. */
export type RevisionSummary = Immutable<z.infer<typeof revisionSummary>>;

export const revisionList = component("RevisionList", listOf(revisionSummary));
export const revision = component("Revision", z.object({ ...revisionHead, changes: z.array(documentChange) }));
export const revisionDiff = component(
  "RevisionDiff",
  z.object({
    from: z.int(),
    to: z.int(),
    changes: z.array(documentChange).describe("The documents that differ, sorted by kind, then by name."),
  }),
);
