import type { Document, DocumentKey } from "../model/document.ts";
import type { Problem } from "../model/problem.ts";

// What the admin API answers, as far as the command line reads it. /openapi.json describes the whole.

export interface ProblemDetails {
  readonly detail: string;
  readonly problems: readonly Problem[];
}

export interface List<T> {
  readonly revision: number;
  readonly items: readonly T[];
}

interface ChangedDocument extends DocumentKey {
  readonly change: "created" | "changed" | "deleted";
  readonly before?: Document;
  readonly after?: Document;
}

interface GroupImpact {
  readonly nodeGroup: string;
  /** The node group that the proxies leave for this one. */
  readonly from?: string;
  readonly resources: readonly { readonly type: string; readonly name: string; readonly change: string }[];
  readonly proxies: readonly string[];
}

export interface Rejection {
  /** "ECDS". */
  readonly type: string;
  readonly name: string;
  /** The proxy's own words. */
  readonly reason: string;
  /** How many resources are rejected together, where the reason names none of them. */
  readonly suspects?: number;
}

/** What became of a write on one proxy. */
export interface Outcome {
  readonly nodeId: string;
  readonly state: "synced" | "pending" | "rejected" | "disconnected";
  readonly rejections: readonly Rejection[];
}

export interface WriteAnswer {
  readonly revision: number;
  readonly changes: readonly ChangedDocument[];
  readonly unchanged: readonly DocumentKey[];
  readonly impact?: readonly GroupImpact[];
  readonly proxies?: readonly Outcome[];
}

export interface Difference {
  readonly changes: readonly ChangedDocument[];
  readonly impact?: readonly GroupImpact[];
}

export interface Revision {
  readonly revision: number;
  readonly time: number;
  readonly author: string;
  readonly message: string;
  readonly changes: readonly ChangedDocument[];
}

export interface KnownProxy {
  readonly nodeId: string;
  readonly nodeGroup: string;
  readonly version?: string;
  readonly state: Outcome["state"];
  readonly since: number;
  readonly types: readonly {
    readonly type: string;
    readonly state: string;
    readonly resources: number;
    readonly rejections: readonly Rejection[];
  }[];
}

/** Requests to one place. */
export interface Load {
  readonly perSecond: number;
  readonly inProgress: number;
  readonly succeeded: number;
  readonly failed: number;
}

export interface ClusterLoad extends Load {
  readonly cluster: string;
  readonly proxies: number;
  readonly dropped: number;
  readonly localities: readonly (Load & {
    readonly region: string;
    readonly zone: string;
    readonly subZone: string;
    readonly priority: number;
    readonly endpoints: readonly (Load & { readonly address: string })[];
  })[];
}

export interface LoadList {
  readonly items: readonly ClusterLoad[];
  /** Places that were reported and not kept. */
  readonly omitted: number;
}

/** A Filter document as it is handed back when it is changed: what the command line does not know stays as it is. */
export interface FilterDocument extends DocumentKey {
  readonly spec: {
    readonly listeners: readonly string[];
    readonly sha256: string;
    readonly config?: unknown;
    readonly failure?: string;
    readonly canary?: object;
  };
}

/** A list that is no part of the mesh. */
export interface Items<T> {
  readonly items: readonly T[];
}

export interface FilterVersion {
  readonly filter: string;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly pushedAt: number;
  readonly usedBy: readonly string[];
}

export interface FilterStatus {
  readonly name: string;
  readonly version?: string;
  readonly sha256: string;
  readonly listeners: readonly string[];
  readonly failure?: string;
  readonly canary?: { readonly version?: string; readonly sha256: string; readonly percent: number };
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Trap {
  readonly callback?: string;
  readonly cause: string;
  readonly at?: Place;
  readonly places: readonly Place[];
}
