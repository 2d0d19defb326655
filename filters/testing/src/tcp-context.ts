import { bufferType, status, streamType } from "./abi.ts";
import type { ByteBuffer, ByteString } from "./bytes.ts";
import type { Readable } from "./calls/caller.ts";
import { Context, type Plugin, type RootContext } from "./context.ts";
import type { PropertyTree } from "./properties.ts";
import type { Vm } from "./vm.ts";

/** The operations of a connection that its filter can ask for. */
export interface TcpConnectionCalls {
  properties(): PropertyTree;
  /** Sends the held data of the client to upstream. */
  continueReading(): void;
  /** Closes the connection from the proxy's side. */
  close(details: string): void;
}

/** Which side closed a connection: https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1 */
export const closedBy = { unknown: 0, proxy: 1, peer: 2 } as const;

/** The filter of one TCP connection. */
export class TcpContext extends Context {
  readonly #calls: TcpConnectionCalls;
  readonly #filterState = new Map<ByteString, Buffer>();
  #downstreamData: ByteBuffer | undefined;
  #upstreamData: ByteBuffer | undefined;
  #downstreamClosed = false;
  #ended = false;
  #failureReported = false;

  constructor(vm: Vm, plugin: Plugin, root: RootContext, calls: TcpConnectionCalls) {
    super(vm, plugin, root);
    this.#calls = calls;
  }

  /** True when the connection continues; the same holds for the two below. */
  newConnection(): boolean {
    this.create();
    return this.#ask("proxy_on_new_connection");
  }

  downstreamData(data: ByteBuffer, end: boolean): boolean {
    this.#downstreamData = data;
    const goesOn = this.#ask("proxy_on_downstream_data", data.length, Number(end));
    if (goesOn) this.#downstreamData = undefined;
    return goesOn;
  }

  upstreamData(data: ByteBuffer, end: boolean): boolean {
    this.#upstreamData = data;
    const goesOn = this.#ask("proxy_on_upstream_data", data.length, Number(end));
    if (goesOn) this.#upstreamData = undefined;
    if (end) {
      this.notify("proxy_on_upstream_connection_close", closedBy.unknown);
      if (this.#downstreamClosed) this.#end();
    }
    return goesOn;
  }

  closed(by: number): void {
    this.notify("proxy_on_downstream_connection_close", by);
    this.#downstreamClosed = true;
    this.#end();
  }

  override buffer(type: number): Readable | "none" {
    if (type === bufferType.downstreamData) return this.#downstreamData;
    return type === bufferType.upstreamData ? this.#upstreamData : super.buffer(type);
  }

  override continueStream(stream: number): number {
    if (stream === streamType.downstream) this.vm.defer(() => this.#calls.continueReading());
    return super.continueStream(stream);
  }

  override closeStream(stream: number): number {
    if (stream === streamType.downstream) this.vm.defer(() => this.#calls.close("wasm_downstream_close"));
    if (stream === streamType.upstream) this.vm.defer(() => this.#calls.close("wasm_upstream_close"));
    return status.ok;
  }

  override get filterState(): Map<ByteString, Buffer> {
    return this.#filterState;
  }

  override get properties(): PropertyTree {
    return { ...super.properties, ...this.#calls.properties() };
  }

  /** Calls the module. Closes the connection when it trapped. */
  #ask(callback: string, ...values: number[]): boolean {
    if (!this.failed && !this.vm.has(callback)) return true;
    const goesOn =
      !this.failed && this.vm.callback(this, callback, [this.id, ...values], (answer) => !this.failed && answer === 0);
    if (this.failed && !this.#failureReported) {
      this.#failureReported = true;
      this.#calls.close("wasm_fail_stream");
    }
    return goesOn;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.notify("proxy_on_done");
    this.notify("proxy_on_log");
    this.notify("proxy_on_delete");
    this.vm.contexts.delete(this.id);
  }
}
