import type { FilterVersion as KeptVersion } from "../filter-registry/versions.ts";
import type { ProxyLoad } from "../load/load-reports.ts";
import type { ProxyState } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus, SyncState } from "../proxy-status/proxy-status.ts";
import type { Revision } from "../store/store.ts";
import type { ChangedDocument } from "./document-changes.ts";
import type { ResourceRejection } from "./settled.ts";

/** A proxy in short. */
export interface ProxySummary extends Omit<ProxyStatus, "streams"> {
  readonly state: ProxyState;
  readonly streams: number;
  /** By resource type, over all streams of the proxy, in push order. */
  readonly types: readonly TypeSummary[];
  /** Absent when the proxy does not report its load. */
  readonly load?: ProxyLoad;
}

interface TypeSummary {
  /** "CDS". */
  readonly type: string;
  readonly state: SyncState;
  /** How many resources the proxy holds or waits for. */
  readonly resources: number;
  readonly rejections: readonly ResourceRejection[];
}

/** One resource as a proxy was sent it. */
export interface SentResource {
  readonly name: string;
  /** The version last sent; absent when the proxy was told that there is no such resource. */
  readonly version?: string;
  readonly state: SyncState;
  /** Envoy's proto-JSON, secrets redacted; absent when the version sent is not the newest any more, so no longer kept. */
  readonly resource?: unknown;
}

/** A revision without the documents that it changed. */
export interface RevisionSummary extends Pick<Revision, "revision" | "time" | "author" | "message"> {
  readonly changes: readonly ChangedDocument[];
}

/** One version of a filter, without its bytes. */
export interface FilterVersion extends KeptVersion {
  readonly bytes: number;
  /** What the module's author and its code say; absent when the module was lost. */
  readonly abi?: string;
  readonly capabilities?: readonly string[];
  readonly description?: string;
  /** The Filter documents that use it. */
  readonly usedBy: readonly string[];
}

/** One Filter document with what it means. */
export interface FilterStatus {
  readonly name: string;
  /** The version by the name that it was pushed under; absent when the module was lost. */
  readonly version?: string;
  readonly sha256: string;
  readonly listeners: readonly string[];
  /** In force: of the document, or else the module's own. */
  readonly failure?: string;
  /** The host calls that it may make. */
  readonly capabilities?: readonly string[];
  /** The version that a share of the requests gets, while there is a canary. */
  readonly canary?: { readonly version?: string; readonly sha256: string; readonly percent: number };
}
