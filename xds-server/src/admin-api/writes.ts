import { z } from "zod";
import { duration, type Immutable } from "../model/fields.ts";
import { proxyStates } from "../proxy-status/proxy-state.ts";
import type { Rejection } from "../proxy-status/proxy-status.ts";
import { component, milliseconds } from "./components.ts";
import { changeWord, documentChange, documentKey } from "./documents.ts";

/** The maximum length of a revision's message, in characters. */
export const maxMessageLength = 1_000;

/** The query that all writes share. */
export const writeQuery = z.strictObject({
  dryRun: z
    .enum(["true", "false"])
    .optional()
    .describe("`true`: check the write and answer what it would change, but change nothing. When absent: `false`."),
  wait: duration
    .optional()
    .describe(
      "How long to wait until every affected proxy has accepted or rejected the write, such as `10s`. A time longer than `60s` counts as `60s`. When absent: the write is answered at once.",
    ),
  message: z
    .string()
    .max(maxMessageLength)
    .optional()
    .describe("Why the write is made, in one line. The revision keeps it."),
});

export const resourceRejection = component(
  "ResourceRejection",
  z.object({
    type: z.string().describe("The resource type, such as `ECDS`."),
    name: z.string(),
    version: z.string().describe("The version that the proxy rejects."),
    reason: z.string().describe("The error detail of the proxy's NACK."),
    suspects: z
      .int()
      .exactOptional()
      .describe(
        "The number of resources that were rejected together, when the reason names none of them. Any of them may be at fault. Absent otherwise.",
      ),
    at: milliseconds.describe("The time of the rejection, in milliseconds since the epoch."),
  }) satisfies z.ZodType<Rejection>,
);
/** A resource that a proxy rejects. */
export type ResourceRejection = Immutable<z.infer<typeof resourceRejection>>;

const groupImpact = z.object({
  nodeGroup: z.string().describe("The node group of the proxies after the write."),
  from: z
    .string()
    .exactOptional()
    .describe("The node group that the proxies move from. Absent when they stay in their node group."),
  resources: z.array(z.object({ type: z.string(), name: z.string(), change: changeWord })),
  proxies: z.array(z.string()).describe("The node ids of the connected proxies that the change affects."),
});
/** What a write changes for the proxies of one node group, or for the proxies that move to it from another one. */
export type GroupImpact = Immutable<z.infer<typeof groupImpact>>;

const outcome = z.object({
  nodeId: z.string(),
  nodeGroup: z.string().describe("The node group of the proxy after the write."),
  state: z
    .enum(proxyStates)
    .describe(
      "The worst state of the resources that the write changes. `pending`: the proxy has not answered all of them in time.",
    ),
  rejections: z.array(resourceRejection).describe("The resources of the write that the proxy rejects."),
});
/** The result of a write on one proxy. */
export type Outcome = Immutable<z.infer<typeof outcome>>;

export const writeAnswer = component(
  "WriteAnswer",
  z.object({
    revision: z.int().describe("The revision that the write made. When it changed nothing: the newest revision."),
    dryRun: z.boolean().describe("True when the request was a dry run, so that nothing changed."),
    changes: z.array(documentChange).describe("The documents that the write changes."),
    unchanged: z.array(documentKey).describe("The documents in the request that are equal to those in the mesh."),
    impact: z
      .array(groupImpact)
      .exactOptional()
      .describe("What the write changes for proxies. Only in the response to a dry run, or with `wait`."),
    proxies: z
      .array(outcome)
      .exactOptional()
      .describe("The result on each affected proxy. Only in the response to a write with `wait`."),
  }),
);
/** The response to every write. */
export type WriteAnswer = Immutable<z.infer<typeof writeAnswer>>;
