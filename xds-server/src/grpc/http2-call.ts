import { constants, type ServerHttp2Stream } from "node:http2";
import type { PeerCertificate } from "node:tls";
import type { Logger } from "pino";
import type { Turns } from "../process/turns.ts";
import { type Call, type CallHandler, frameHeadBytes, type Method, type SharedMessage } from "./call.ts";
import { type BufferPool, Deframer } from "./deframer.ts";
import type { Inflate } from "./inflate.ts";
import type { TransportLimits } from "./limits.ts";
import { CallFault, type Status, statusTrailers } from "./status.ts";

export interface Http2CallOptions {
  readonly peer: string;
  readonly peerCertificate: PeerCertificate | undefined;
  readonly limits: TransportLimits;
  readonly pool: BufferPool;
  readonly turns: Turns;
  /** Undefined when the client's messages are not compressed. */
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
  /** The work of the last message that still waits for its turn. */
  #work: (() => void) | undefined;
  /** True while `#read` runs, so that it does not run inside itself. */
  #isReading = false;
  #isStreamPaused = false;
  /** The client has sent its last byte. */
  #isHalfClosed = false;
  #hasReportedHalfClose = false;
  #unreadTimer: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, options: Http2CallOptions) {
    const { peer, peerCertificate, limits, pool } = options;
    this.peer = peer;
    this.peerCertificate = peerCertificate;
    this.#stream = stream;
    this.#options = options;
    this.#deframer = new Deframer({ maxMessageBytes: limits.maxMessageBytes, pool });
  }

  /** Starts the call. */
  serve(method: Method): void {
    const stream = this.#stream;
    // "close" always follows an error and ends the call.
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
      const message = `The ${what} has ${bytes} bytes; the maximum is ${maxMessageBytes} (--limit maxMessageBytes)`;
      throw new CallFault("RESOURCE_EXHAUSTED", message);
    }
    if (this.#isOver || this.#stream.closed) return true;
    if (!this.#stream.headersSent) this.#stream.respond(responseHeaders, { waitForTrailers: true });
    const hadRoom = !this.isFull;
    if (this.#stream.write(framed)) return true;
    if (hadRoom) this.#unreadTimer = setTimeout(() => this.#endUnread(), unreadTimeoutMs);
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
        this.#unreadTimer = setTimeout(() => this.#endUnread(), this.#options.limits.unreadTimeoutMs);
      } else {
        stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
        this.#stopClient();
      }
      // Read and drop what the client still sends, so that it does not fill the connection's flow-control window.
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
      const fault = error instanceof CallFault ? error : new CallFault("INTERNAL", "The server failed; see its log");
      const { code, message } = fault;
      this.#options.log.warn({ peer: this.peer, code, reason: message }, "ended a call");
      this.end({ code, message });
    }
  }

  /** Delivers the messages that have arrived, until the method pauses or has work left. */
  #read(): void {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    this.run(() => {
      while (!this.#mustWait) {
        const message = this.#deframer.next();
        if (message === undefined) break;
        if (message.isCompressed) this.#inflate(message.bytes);
        else this.#deliver(message.bytes);
      }
      if (!this.#isOver) this.#continue();
    });
    this.#isReading = false;
  }

  get #mustWait(): boolean {
    return this.#isPaused || this.#isInflating || this.#work !== undefined || this.#isOver;
  }

  #continue(): void {
    // While a message is handled, the stream is paused only when more input has arrived. That is rare.
    const mustPause = this.#mustWait && this.#deframer.hasInput;
    if (this.#isHalfClosed && !this.#mustWait) this.#reportHalfClose();
    else if (this.#isStreamPaused !== mustPause) {
      this.#isStreamPaused = mustPause;
      if (this.#isStreamPaused) this.#stream.pause();
      else this.#stream.resume();
    }
  }

  /** The handler reads the message at once, so that its bytes need not be kept. The work that it returns waits for its turn. */
  #deliver(bytes: Buffer): void {
    this.#work = this.#handler?.onMessage(bytes);
    this.#deframer.release();
    if (this.#work !== undefined) this.#options.turns.take(this.#doWork);
  }

  readonly #doWork = (): void => {
    const work = this.#work;
    this.#work = undefined;
    if (work !== undefined) this.run(work);
    this.#read();
  };

  #reportHalfClose(): void {
    if (this.#hasReportedHalfClose) return;
    this.#hasReportedHalfClose = true;
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
      (message) => inflated(() => this.#deliver(message)),
      (error: unknown) =>
        inflated(() => {
          throw error;
        }),
    );
  }

  /** The response is complete, so the client must not send the rest of its request (RFC 9113, section 8.1). */
  #stopClient(): void {
    if (!this.#isHalfClosed) setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR));
  }

  /** Ends a call whose client has not read for `unreadTimeoutMs`. */
  #endUnread(): void {
    this.#options.log.warn(
      { peer: this.peer },
      "ended a call because the client does not read the messages sent to it",
    );
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
