import type { ByteBuffer, ByteString } from "../bytes.ts";
import type { GrpcCallState } from "../grpc-call.ts";
import type { GuestMemory } from "../guest-memory.ts";
import type { HeaderMap } from "../header-map.ts";
import type { MetricIds } from "../metrics.ts";
import type { HttpAnswer, HttpCallState } from "../outbox.ts";
import type { Pair } from "../pairs.ts";
import type { PropertyTree } from "../properties.ts";
import type { World } from "../world.ts";

/** A function that a module imports. 64-bit numbers are bigints. */
export type HostCall = (...values: number[]) => number;

/** The VM of the module that makes a host call, as far as host calls use it. */
export interface Caller {
  readonly world: World;
  readonly settings: { readonly id: string; readonly environment: Readonly<Record<string, string>> };
  readonly memory: GuestMemory;
  readonly metrics: MetricIds;
  /** The context that the running host call acts on. */
  readonly context: CallContext;
  /** A local response was sent: the stream stops, whatever the callback answers. */
  stopIteration: boolean;
  /** Host calls act on that context until the callback ends. False when there is no such context. */
  setEffective(id: number): boolean;
  /** The lowest two bits are the kind of call. */
  nextCallToken(kind: 0 | 1 | 2): number;
  /** Runs the task when the callback has returned. */
  defer(task: () => void): void;
}

/** The context that a host call acts on: a root, an HTTP stream, a connection, or the VM itself. */
export interface CallContext {
  readonly root: CallRoot;
  /** The headers are those of a stream that is over. */
  readonly logging: boolean;
  readonly properties: PropertyTree;
  /** Undefined when the context has no stream to keep values with. */
  readonly filterState: Map<ByteString, Buffer> | undefined;
  /** Headers that may be changed now. */
  mutableMap(type: number): HeaderMap | undefined;
  /** Headers that may be read now. */
  readableMap(type: number): HeaderMap | undefined;
  /** "none" when Envoy does not know that buffer here; undefined when it is empty now. */
  buffer(type: number): Readable | "none";
  continueStream(stream: number): number;
  closeStream(stream: number): number;
  sendLocalResponse(response: LocalResponse): void;
  clearRouteCache(): void;
}

/** The root of a configured filter: it owns the calls to other services, and receives their answers. */
export interface CallRoot extends CallContext {
  readonly httpCalls: Map<number, HttpCallState>;
  readonly grpcCalls: Map<number, GrpcCallState>;
  readonly deleted: boolean;
  /** The module's proxy_on_done answered false; the root is deleted when the module calls proxy_done. */
  pendingDone: boolean;
  /** Set while the module is notified of the answer, like the three below. */
  httpAnswer: HttpAnswer | undefined;
  grpcMessage: Buffer | undefined;
  grpcInitialMetadata: HeaderMap | undefined;
  grpcTrailingMetadata: HeaderMap | undefined;
  lastStatus: { readonly code: number; readonly message: string };
  tickEvery(periodMs: number): void;
  /** Calls the module's callback. False when the module answered false. */
  notify(callback: string, ...values: number[]): boolean;
  /** Like notify, but runs `first` before everything that the module asked for in the callback. */
  notifyThen(first: () => void, callback: string, ...values: number[]): void;
  delete(): void;
}

/** Bytes that a filter can read: a body, which it may also change, or a fixed buffer. Undefined when there are none. */
export type Readable = ByteBuffer | Buffer | undefined;

export interface LocalResponse {
  readonly code: number;
  readonly details: ByteString;
  readonly body: Buffer;
  readonly headers: readonly Pair[];
  /** A value above 16 means no gRPC status; so does -1, which arrives as an unsigned number. */
  readonly grpcStatus: number;
}
