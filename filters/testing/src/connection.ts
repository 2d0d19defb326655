import { ByteBuffer, type Bytes, bytesOf } from "./bytes.ts";
import type { PropertyTree } from "./properties.ts";
import { closedBy, type TcpConnectionCalls, type TcpContext } from "./tcp-context.ts";

/** A TCP connection through the filter. A test plays both client and upstream. */
export class Connection {
  readonly #filter: TcpContext | undefined;
  readonly #settle: () => void;
  readonly #ended: () => void;
  /** Data that the filter holds. Later data is added to it. */
  readonly #fromClient = new ByteBuffer();
  readonly #fromUpstream = new ByteBuffer();
  readonly #atUpstream = new ByteBuffer();
  readonly #atClient = new ByteBuffer();
  #clientEnded = false;
  #upstreamEnded = false;
  #closeDetails: string | undefined;
  /** The filter let the connection to upstream begin. */
  #begun = false;

  /** `filter` creates the filter of the connection. When it returns undefined, all data passes. */
  constructor(
    options: { readonly properties: () => PropertyTree; readonly settle: () => void; readonly ended: () => void },
    filter: (calls: TcpConnectionCalls) => TcpContext | undefined,
  ) {
    this.#settle = options.settle;
    this.#ended = options.ended;
    this.#filter = filter({
      properties: options.properties,
      continueReading: () => this.#continue(),
      close: (details) => this.#close(details, closedBy.proxy),
    });
    this.#begun = this.#filter?.newConnection() ?? true;
    this.#settle();
  }

  /** All data that arrived upstream, as text. */
  get upstream(): string {
    return this.#atUpstream.bytes.toString("utf8");
  }

  /** All data that came back to the client, as text. */
  get client(): string {
    return this.#atClient.bytes.toString("utf8");
  }

  get upstreamBytes(): Uint8Array {
    return Buffer.from(this.#atUpstream.bytes);
  }

  get clientBytes(): Uint8Array {
    return Buffer.from(this.#atClient.bytes);
  }

  /** True when the proxy may connect to upstream: the filter does not hold the connection. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Why the connection ended; undefined while it is open. */
  get closed(): string | undefined {
    return this.#closeDetails;
  }

  /** Sends data from the client. */
  send(bytes: Bytes, end = false): this {
    if (this.#closeDetails !== undefined || this.#clientEnded) return this;
    this.#clientEnded = end;
    this.#fromClient.add(bytesOf(bytes));
    if (this.#filter?.downstreamData(this.#fromClient, end) ?? true) this.#continue();
    this.#settle();
    return this;
  }

  /** Sends data from upstream. */
  receive(bytes: Bytes, end = false): this {
    if (this.#closeDetails !== undefined || this.#upstreamEnded) return this;
    this.#upstreamEnded = end;
    this.#fromUpstream.add(bytesOf(bytes));
    if (this.#filter?.upstreamData(this.#fromUpstream, end) ?? true) this.#atClient.move(this.#fromUpstream);
    this.#settle();
    return this;
  }

  /** The client closes the connection. */
  close(): void {
    this.#close("downstream_remote_disconnect", closedBy.peer);
    this.#settle();
  }

  #continue(): void {
    if (this.#closeDetails !== undefined) return;
    this.#begun = true;
    this.#atUpstream.move(this.#fromClient);
  }

  #close(details: string, by: number): void {
    if (this.#closeDetails !== undefined) return;
    this.#closeDetails = details;
    this.#filter?.closed(by);
    this.#ended();
  }
}
