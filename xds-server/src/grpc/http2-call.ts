import { constants, type ServerHttp2Stream } from "node:http2";
import type { PeerCertificate } from "node:tls";
import type { Logger } from "pino";
import type { Turns } from "../process/turns.ts";
import { type Call, type CallHandler, frameHeadBytes, type Method, type SharedMessage } from "./call.ts";
import { Deframer, type MessageRoom } from "./deframer.ts";
import type { Inflate } from "./inflate.ts";
import type { TransportLimits } from "./limits.ts";
import { CallFault, type Status, statusTrailers } from "./status.ts";

export interface Http2CallOptions {
  readonly peer: string;
  readonly peerCertificate: PeerCertificate | undefined;
  readonly limits: TransportLimits;
  readonly room: MessageRoom;
  readonly turns: Turns;
  /** Absent when the client's messages are not compressed. */
  readonly inflate: Inflate | undefined;
  readonly log: Logger;
}

const responseHeaders = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity,gzip",
};
const ok: Status = { code: "OK", message: "" };

/** One call on one HTTP/2 stream: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export class Http2Call implements Call {
  readonly peer: string;
  readonly peerCertificate: PeerCertificate | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #options: Http2CallOptions;
  readonly #deframer: Deframer;
  #handler: CallHandler | undefined;
  #isOver = false;
  #isPaused = false;
  #isInflating = false;
  /** What is left to do for the last message, when its turn has come. */
  #work: (() => void) | undefined;
  /** True while messages are handed out one after the other. */
  #isReading = false;
  #isHeldBack = false;
  /** The client has sent its last byte. */
  #isHalfClosed = false;
  #hasToldHalfClose = false;
  #unreadTimer: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, options: Http2CallOptions) {
    const { peer, peerCertificate, limits, room } = options;
    this.peer = peer;
    this.peerCertificate = peerCertificate;
    this.#stream = stream;
    this.#options = options;
    this.#deframer = new Deframer({ maxMessageBytes: limits.maxMessageBytes, room });
  }

  /** Begins to serve the call. */
  serve(method: Method): void {
    const stream = this.#stream;
    // What went wrong with the stream is told by its end, which always follows.
    stream.on("error", () => {});
    stream.once("close", () => {
      clearTimeout(this.#unreadTimer);
      this.#close();
    });
    this.run(() => {
      this.#handler = method(this);
    });
    stream.on("drain", () => {
      if (this.#isOver) return;
      clearTimeout(this.#unreadTimer);
      this.run(() => this.#handler?.onDrain?.());
    });
    stream.on("data", (bytes: Buffer) => {
      if (this.#isOver) return;
      this.#deframer.feed(bytes);
      this.#read();
    });
    stream.on("end", () => {
      this.#isHalfClosed = true;
      this.#read();
    });
  }

  get isFull(): boolean {
    return this.#stream.writableNeedDrain;
  }

  send({ what, framed }: SharedMessage): boolean {
    const { maxMessageBytes, unreadTimeoutMs } = this.#options.limits;
    const bytes = framed.length - frameHeadBytes;
    if (bytes > maxMessageBytes) {
      const message = `The ${what} has ${bytes} bytes, and ${maxMessageBytes} are the most (--limit maxMessageBytes)`;
      throw new CallFault("RESOURCE_EXHAUSTED", message);
    }
    if (this.#isOver || this.#stream.closed) return true;
    if (!this.#stream.headersSent) this.#stream.respond(responseHeaders, { waitForTrailers: true });
    const hadRoom = !this.isFull;
    if (this.#stream.write(framed)) return true;
    if (hadRoom) this.#unreadTimer = setTimeout(() => this.#giveUp(), unreadTimeoutMs);
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#read();
  }

  end(status: Status = ok): void {
    if (this.#isOver) return;
    const stream = this.#stream;
    if (!stream.closed && !stream.destroyed) {
      const trailers = statusTrailers(status);
      if (stream.headersSent) {
        stream.once("wantTrailers", () => {
          stream.sendTrailers(trailers);
          this.#stopClient();
        });
        stream.end();
        clearTimeout(this.#unreadTimer);
        this.#unreadTimer = setTimeout(() => this.#giveUp(), this.#options.limits.unreadTimeoutMs);
      } else {
        stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
        this.#stopClient();
      }
      // Whatever the client still sends is read, so that the connection is free of it, and dropped.
      stream.resume();
    }
    this.#close();
  }

  run(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof CallFault)) this.#options.log.error({ err: error, peer: this.peer }, "a call failed");
      const fault =
        error instanceof CallFault ? error : new CallFault("INTERNAL", "The server failed; its log says more");
      const { code, message } = fault;
      this.#options.log.warn({ peer: this.peer, code, reason: message }, "ended a call");
      this.end({ code, message });
    }
  }

  /** Hands out the messages that are there, as long as the method takes them. */
  #read(): void {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    this.run(() => {
      while (!this.#mustWait) {
        const message = this.#deframer.next();
        if (message === undefined) break;
        if (message.isCompressed) this.#inflate(message.bytes);
        else this.#hand(message.bytes);
      }
      if (!this.#isOver) this.#readOn();
    });
    this.#isReading = false;
  }

  get #mustWait(): boolean {
    return this.#isPaused || this.#isInflating || this.#work !== undefined || this.#isOver;
  }

  #readOn(): void {
    // While a message is dealt with, the stream is left to flow until there is another: mostly there is none.
    const holdsBack = this.#mustWait && this.#deframer.hasInput;
    if (this.#isHalfClosed && !this.#mustWait) this.#tellHalfClose();
    else if (this.#isHeldBack !== holdsBack) {
      this.#isHeldBack = holdsBack;
      if (this.#isHeldBack) this.#stream.pause();
      else this.#stream.resume();
    }
  }

  /** The message is read at once, so that its bytes need not be kept; what follows from it waits for its turn. */
  #hand(bytes: Buffer): void {
    this.#work = this.#handler?.onMessage(bytes);
    this.#deframer.letGo();
    if (this.#work !== undefined) this.#options.turns.take(this.#doWork);
  }

  readonly #doWork = (): void => {
    const work = this.#work;
    this.#work = undefined;
    if (work !== undefined) this.run(work);
    this.#read();
  };

  #tellHalfClose(): void {
    if (this.#hasToldHalfClose) return;
    this.#hasToldHalfClose = true;
    if (!this.#deframer.isBetweenMessages) throw new CallFault("INTERNAL", "The call ended within a message");
    this.#handler?.onHalfClose();
  }

  #inflate(bytes: Buffer): void {
    const { inflate } = this.#options;
    if (inflate === undefined)
      throw new CallFault("INTERNAL", "A message is compressed, but no grpc-encoding was given");
    this.#isInflating = true;
    const inflated = (work: () => void) => {
      this.#isInflating = false;
      this.run(work);
      this.#read();
    };
    inflate(bytes).then(
      (message) => inflated(() => this.#hand(message)),
      (error: unknown) =>
        inflated(() => {
          throw error;
        }),
    );
  }

  /** The response is whole: the client need not send the rest of its request (RFC 9113, section 8.1). */
  #stopClient(): void {
    if (!this.#isHalfClosed) setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR));
  }

  /** The client did not read for so long that it must have forgotten the call. */
  #giveUp(): void {
    this.#options.log.warn({ peer: this.peer }, "ended a call whose client does not read what it is sent");
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#close();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#work = undefined;
    this.#deframer.clear();
    this.#handler?.onClose();
  }
}
