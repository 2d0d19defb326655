import type { PeerCertificate } from "node:tls";
import { CallFault, type Status } from "./status.ts";

/** An encoded message. Immutable: it can be sent on any number of calls without a copy. */
export interface SharedMessage {
  /** A description for logs and errors: "CDS response". */
  readonly what: string;
  /** The five bytes of gRPC framing, and the message. */
  readonly framed: Buffer;
}

/** One call of a client, unary or streaming. The method decides how many messages go each way. */
export interface Call {
  /** The client's address: "10.0.0.7:41234". */
  readonly peer: string;
  /** The client's verified certificate. Undefined without TLS. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** True while the send queue is full because the client reads too slowly. A message can still be sent, but the queue grows. */
  readonly isFull: boolean;
  /** Queues a message. Returns false when the queue is full. `onDrain` is then called when the queue has space again. */
  send(message: SharedMessage): boolean;
  /** Delivers no more messages until `resume`. HTTP/2 flow control then stops the client from sending. */
  pause(): void;
  resume(): void;
  /** Ends the call after the queued messages are sent. The default status is OK. `onClose` runs before this returns. */
  end(status?: Status): void;
  /** Runs work of this call. An exception from it ends this call, but no other. Does nothing when the call has ended. */
  run(work: () => void): void;
}

/** A method's callbacks for one call. They all run inside `Call.run`. */
export interface CallHandler {
  /**
   * Reads one message. The bytes are valid only until this returns. A function that this returns does the longer work: it
   * runs later in its turn (see `Turns`), but before the next message.
   */
  onMessage(bytes: Buffer): (() => void) | undefined;
  /** The client has sent its last message. */
  onHalfClose(): void;
  /** The send queue has space again after `send` returned false. */
  onDrain?(): void;
  /** The call has ended, for any reason. Called once, as the last callback. */
  onClose(): void;
}

/** Begins a call, or rejects it by throwing a `CallFault`. */
export type Method = (call: Call) => CallHandler;

/** The methods by path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources". */
export type Methods = ReadonlyMap<string, Method>;

/** A method with one request and one response. */
export function unary(answer: (request: Buffer, call: Call) => SharedMessage): Method {
  return (call) => {
    let request: Buffer | undefined;
    return {
      onMessage(bytes) {
        if (request !== undefined) throw new CallFault("INVALID_ARGUMENT", "This method takes one message only");
        request = Buffer.from(bytes);
      },
      onHalfClose() {
        if (request === undefined)
          throw new CallFault("INVALID_ARGUMENT", "This method takes one message, and got none");
        call.send(answer(request, call));
        call.end();
      },
      onClose() {},
    };
  };
}

/** The size of the framing before each message, in bytes: one for the compressed flag, four for the length. */
export const frameHeadBytes = 5;

/** Frames a message. `parts` are its encoding, in pieces. */
export function sharedMessage(what: string, parts: readonly Uint8Array[]): SharedMessage {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // Not from Node's buffer pool: a message that is kept would keep the whole pooled buffer in memory.
  const framed = Buffer.allocUnsafeSlow(frameHeadBytes + length);
  framed[0] = 0;
  framed.writeUInt32BE(length, 1);
  let at = frameHeadBytes;
  for (const part of parts) {
    framed.set(part, at);
    at += part.length;
  }
  return { what, framed };
}
