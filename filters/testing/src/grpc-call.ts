import { type Bytes, bytesOf } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import { HeaderMap, Headers, type HeadersInit } from "./header-map.ts";

/** A module's call to a gRPC service: one message, or a stream of messages. The test answers it. */
export interface GrpcCall {
  readonly kind: "call" | "stream";
  /** The cluster's name, or a serialised envoy.config.core.v3.GrpcService. */
  readonly service: Bytes;
  /** "/package.Service/Method". */
  readonly method: string;
  readonly metadata: Headers;
  /** All messages that were sent so far. */
  readonly messages: readonly Buffer[];
  /** True when the module sends no more messages. */
  readonly halfClosed: boolean;
  /** Milliseconds; 0 for none. */
  readonly timeoutMs: number;
  /** True when the call is closed, answered or cancelled. */
  readonly done: boolean;
  /** Streams only. */
  sendInitialMetadata(metadata: HeadersInit): void;
  /** Ends a call. A stream stays open. */
  sendMessage(message: Bytes): void;
  /** Streams only. */
  sendTrailingMetadata(metadata: HeadersInit): void;
  /** Ends a stream, or ends a call with an error. */
  close(grpcStatus: number, message?: string): void;
}

/** A call as the host sees it. */
export interface GrpcCallState extends GrpcCall {
  sent(message: Buffer, end: boolean): void;
  halfClose(): void;
  abandon(): void;
}

export type GrpcEvent =
  | { readonly kind: "initial"; readonly metadata: HeaderMap }
  | { readonly kind: "trailing"; readonly metadata: HeaderMap }
  | { readonly kind: "message"; readonly message: Buffer }
  | { readonly kind: "close"; readonly status: number; readonly text: string };

interface Parts {
  readonly kind: "call" | "stream";
  readonly service: Bytes;
  readonly method: string;
  readonly metadata: HeaderMap;
  readonly messages: readonly Buffer[];
  readonly timeoutMs: number;
  readonly notify: (what: GrpcEvent) => void;
}

const unavailable = 14;

/** Begins a call. Its timeout starts now. */
export function grpcCall(parts: Parts, clock: Clock): GrpcCallState {
  const { kind, service, method, timeoutMs, notify } = parts;
  const messages = [...parts.messages];
  let done = false;
  let halfClosed = kind === "call";
  const end = () => {
    done = true;
    stopTimer();
  };
  const close = (status: number, text = "") => {
    if (done) return;
    end();
    notify({ kind: "close", status, text });
  };
  const stopTimer =
    timeoutMs > 0 ? clock.after(timeoutMs, () => close(unavailable, "upstream request timeout")) : () => {};
  return {
    kind,
    service,
    method,
    metadata: new Headers(parts.metadata),
    messages,
    timeoutMs,
    get halfClosed() {
      return halfClosed;
    },
    get done() {
      return done;
    },
    sendInitialMetadata: (metadata) => {
      if (!done && kind === "stream") notify({ kind: "initial", metadata: new HeaderMap("response", metadata) });
    },
    sendMessage: (message) => {
      if (done) return;
      if (kind === "call") end();
      notify({ kind: "message", message: bytesOf(message) });
    },
    sendTrailingMetadata: (metadata) => {
      if (!done && kind === "stream")
        notify({ kind: "trailing", metadata: new HeaderMap("responseTrailers", metadata) });
    },
    close,
    sent: (message, last) => {
      messages.push(message);
      halfClosed ||= last;
    },
    halfClose: () => {
      halfClosed = true;
    },
    abandon: end,
  };
}
