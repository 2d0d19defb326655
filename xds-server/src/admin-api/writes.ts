import { z } from "zod";
import { duration, type Immutable } from "../model/fields.ts";
import { proxyStates } from "../proxy-status/proxy-state.ts";
import type { Rejection } from "../proxy-status/proxy-status.ts";
import { component, milliseconds, newestRevision } from "./components.ts";
import { changeWord, documentChange, documentKey } from "./documents.ts";

/** The longest message that a revision keeps, in characters. */
export const maxMessageLength = 1_000;

/** The query that all writes share. */
export const writeQuery = z.strictObject({
  dryRun: z.enum(["true", "false"]).optional().describe("true: only tell what the write would do"),
  wait: duration
    .optional()
    .describe("Wait this long, at most 60s, until every touched proxy has taken or rejected the write"),
  message: z.string().max(maxMessageLength).optional().describe("One line that says why, kept with the revision"),
});

export const resourceRejection = component(
  "ResourceRejection",
  z.object({
    type: z.string().describe('"ECDS"'),
    name: z.string(),
    version: z.string(),
    reason: z.string().describe("The proxy's own words"),
    suspects: z
      .int()
      .exactOptional()
      .describe("How many resources are rejected together, where the reason names none of them: each may be at fault"),
    at: milliseconds,
  }) satisfies z.ZodType<Rejection>,
);
/** A resource that a proxy rejects. */
export type ResourceRejection = Immutable<z.infer<typeof resourceRejection>>;

const groupImpact = z.object({
  nodeGroup: z.string(),
  from: z.string().exactOptional().describe("The node group that the proxies leave for this one"),
  resources: z.array(z.object({ type: z.string(), name: z.string(), change: changeWord })),
  proxies: z.array(z.string()).describe("Connected proxies of the group, or that move to it"),
});
/** What a write changes for the proxies of one node group. */
export type GroupImpact = Immutable<z.infer<typeof groupImpact>>;

const outcome = z.object({
  nodeId: z.string(),
  nodeGroup: z.string(),
  state: z.enum(proxyStates),
  rejections: z.array(resourceRejection),
});
/** What a write did on one proxy, and what the proxy rejected of it. */
export type Outcome = Immutable<z.infer<typeof outcome>>;

export const writeAnswer = component(
  "WriteAnswer",
  z.object({
    revision: newestRevision,
    dryRun: z.boolean(),
    changes: z.array(documentChange),
    unchanged: z.array(documentKey).describe("Sent, and already so"),
    impact: z.array(groupImpact).exactOptional().describe("What changes for whom; in dry runs and when waiting"),
    proxies: z.array(outcome).exactOptional().describe("What became of it, when the request asked to wait"),
  }),
);
/** The answer to every write. */
export type WriteAnswer = Immutable<z.infer<typeof writeAnswer>>;
