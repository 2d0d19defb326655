import type { PeerCertificate } from "node:tls";
import { CallFault, type Status } from "./status.ts";

/** A message that is ready for the wire. Immutable: it goes to any number of calls without a copy. */
export interface SharedMessage {
  /** What it is, for logs and errors: "CDS response". */
  readonly what: string;
  /** The message behind its five bytes of gRPC framing. */
  readonly framed: Buffer;
}

/** One call of a client, of whichever kind: the number of messages that go each way is the method's affair. */
export interface Call {
  /** The other side: "10.0.0.7:41234". */
  readonly peer: string;
  /** The client's certificate, which was verified; absent without TLS. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** True while more is queued than the client reads. Sending is allowed then, but the queue grows. */
  readonly isFull: boolean;
  /** Sends a message, and says whether there is room for more; when there was none, `onDrain` tells when there is. */
  send(message: SharedMessage): boolean;
  /** Delivers no message until `resume`. The client is held back by HTTP/2's flow control. */
  pause(): void;
  resume(): void;
  /** Ends the call, once what was sent is out. OK unless said otherwise. `onClose` runs before this returns. */
  end(status?: Status): void;
  /** Does work for this call: what it throws ends this call, and nothing else. No work is done for a call that is over. */
  run(work: () => void): void;
}

/** What a method does with a call. All run inside `Call.run`. */
export interface CallHandler {
  /**
   * One message. The bytes are good until this returns, so read them here. Work that may be long is returned: it is done when
   * its turn has come, before the next message.
   */
  onMessage(bytes: Buffer): (() => void) | undefined;
  /** The client sends no more. */
  onHalfClose(): void;
  /** There is room again after `send` said that there was none. */
  onDrain?(): void;
  /** The call is over, however it ended. Once, and nothing after it. */
  onClose(): void;
}

/** Takes a call, or rejects it by throwing a `CallFault`. */
export type Method = (call: Call) => CallHandler;

/** Methods by path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources". */
export type Methods = ReadonlyMap<string, Method>;

/** A method of one request and one response. */
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

/** Bytes of framing before each message: whether it is compressed, and its length. */
export const frameHeadBytes = 5;

/** Frames a message whose encoding is these parts, one after the other. */
export function sharedMessage(what: string, parts: readonly Uint8Array[]): SharedMessage {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // Not from Node's pool: what is kept of a pooled buffer keeps its neighbours too.
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
