import { bufferType, headerMap, status } from "./abi.ts";
import type { ByteString } from "./bytes.ts";
import type { CallContext, CallRoot, LocalResponse, Readable } from "./calls/caller.ts";
import type { GrpcCallState } from "./grpc-call.ts";
import type { HeaderMap } from "./header-map.ts";
import type { HttpAnswer, HttpCallState } from "./outbox.ts";
import type { PropertyTree, PropertyValue } from "./properties.ts";
import type { Vm } from "./vm.ts";

/** A filter and its configuration, as a listener has it. */
export interface Plugin {
  readonly name: string;
  readonly rootId: string;
  readonly configuration: Buffer;
  /** True when body callbacks run while a headers callback holds the headers. */
  readonly allowOnHeadersStopIteration: boolean;
}

/** The parts of a finished stream that can be read. */
export interface LoggedStream {
  readonly request?: HeaderMap;
  readonly response?: HeaderMap;
  readonly trailers?: HeaderMap;
  /** These take precedence over the context's own properties. */
  readonly properties?: PropertyTree;
}

/**
 * Everything that has a number in a VM: a root, a stream, a connection. Number 0 is the VM itself. The methods behave
 * as in a context where Envoy does not have the thing; subclasses override those that it has.
 */
export class Context implements CallContext {
  readonly vm: Vm;
  readonly plugin: Plugin;
  readonly id: number;
  readonly #root: RootContext | undefined;
  /** The module was notified that the context exists. */
  created = false;
  /** Set while the module runs proxy_on_log. */
  #logged: LoggedStream | undefined;

  constructor(vm: Vm, plugin: Plugin, root: RootContext | undefined, id = vm.nextContextId()) {
    this.vm = vm;
    this.plugin = plugin;
    this.#root = root;
    this.id = id;
    if (id !== 0) vm.contexts.set(id, this);
  }

  get root(): RootContext {
    if (this.#root === undefined) throw new Error(`context ${this.id} has no root`);
    return this.#root;
  }

  get failed(): boolean {
    return this.vm.trap !== undefined;
  }

  create(): void {
    if (!this.failed && !this.created && this.vm.has("proxy_on_context_create")) {
      const parent = this.#root?.id ?? 0;
      this.vm.callback(this, "proxy_on_context_create", [this.id, parent], () => undefined);
    }
    this.created = true;
  }

  /** Calls the module, unless it trapped or does not export the callback. False when the module answered false. */
  notify(callback: string, ...values: number[]): boolean {
    if (this.failed || !this.vm.has(callback)) return true;
    return this.vm.callback(this, callback, [this.id, ...values], (answer) => answer !== 0);
  }

  /** Notifies the module of a finished stream. This may be the first callback that the module gets for it. */
  log(stream: LoggedStream): void {
    if (!this.created) this.create();
    this.#logged = stream;
    this.notify("proxy_on_log");
    this.#logged = undefined;
  }

  /** Like notify, but runs `first` before everything that the module asked for in the callback. */
  notifyThen(first: () => void, callback: string, ...values: number[]): void {
    if (this.failed || !this.vm.has(callback)) first();
    else {
      this.vm.defer(first);
      this.notify(callback, ...values);
    }
  }

  /** Headers that may be changed now. */
  mutableMap(_type: number): HeaderMap | undefined {
    return undefined;
  }

  /** Headers that may be read now. */
  readableMap(type: number): HeaderMap | undefined {
    if (type === headerMap.requestHeaders) return this.#logged?.request;
    if (type === headerMap.responseHeaders) return this.#logged?.response;
    if (type === headerMap.responseTrailers) return this.#logged?.trailers;
    const root = this.root;
    if (type === headerMap.httpCallHeaders) return root.httpAnswer?.headers;
    if (type === headerMap.httpCallTrailers) return root.httpAnswer?.trailers;
    if (type === headerMap.grpcInitialMetadata) return root.grpcInitialMetadata;
    return type === headerMap.grpcTrailingMetadata ? root.grpcTrailingMetadata : undefined;
  }

  /** "none" when Envoy does not know that buffer here; undefined when it is empty now. */
  buffer(type: number): Readable | "none" {
    if (type === bufferType.vmConfiguration) return this.vm.settings.configuration;
    if (type === bufferType.pluginConfiguration) return this.root.configuring ? this.plugin.configuration : "none";
    if (type === bufferType.httpCallBody) return this.root.httpAnswer?.body ?? "none";
    if (type === bufferType.grpcMessage) return this.root.grpcMessage;
    return type > bufferType.callData ? "none" : undefined;
  }

  /** True when the headers are those of a finished stream. */
  get logging(): boolean {
    return this.#logged !== undefined;
  }

  continueStream(stream: number): number {
    return stream === 3 ? status.unimplemented : status.ok;
  }

  closeStream(_stream: number): number {
    return status.ok;
  }

  sendLocalResponse(_response: LocalResponse): void {}

  clearRouteCache(): void {}

  /** Undefined when the context has no stream to keep values with. */
  get filterState(): Map<ByteString, Buffer> | undefined {
    return undefined;
  }

  get properties(): PropertyTree {
    const text: Record<string, PropertyValue> = {
      plugin_name: this.plugin.name,
      plugin_root_id: this.plugin.rootId,
      plugin_vm_id: this.vm.settings.id,
    };
    return { ...text, ...this.#logged?.properties };
  }
}

/** A configured filter in one VM. */
export class RootContext extends Context implements CallRoot {
  configuring = false;
  readonly httpCalls = new Map<number, HttpCallState>();
  readonly grpcCalls = new Map<number, GrpcCallState>();
  /** Set while the module is notified of the answer, like the three below. */
  httpAnswer: HttpAnswer | undefined;
  grpcMessage: Buffer | undefined;
  grpcInitialMetadata: HeaderMap | undefined;
  grpcTrailingMetadata: HeaderMap | undefined;
  lastStatus: { readonly code: number; readonly message: string } = { code: 0, message: "" };
  /** The module's proxy_on_done answered false; the root is deleted when the module calls proxy_done. */
  pendingDone = false;
  deleted = false;
  #stopTicking: (() => void) | undefined;

  constructor(vm: Vm, plugin: Plugin) {
    super(vm, plugin, undefined);
  }

  override get root(): RootContext {
    return this;
  }

  /**
   * Starts and configures the filter. Returns the name of the callback that answered false; undefined when none did.
   */
  begin(): string | undefined {
    this.create();
    if (!this.notify("proxy_on_vm_start", this.vm.settings.configuration.length)) return "proxy_on_vm_start";
    this.configuring = true;
    const accepted = this.notify("proxy_on_configure", this.plugin.configuration.length);
    this.configuring = false;
    return accepted ? undefined : "proxy_on_configure";
  }

  tickEvery(periodMs: number): void {
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    if (periodMs > 0) this.#scheduleTick(periodMs);
  }

  /** Runs proxy_on_done, and deletes the root unless the module asks for more time. */
  end(): void {
    if (this.notify("proxy_on_done")) this.delete();
    else this.pendingDone = true;
  }

  delete(): void {
    this.pendingDone = false;
    this.deleted = true;
    this.tickEvery(0);
    for (const call of [...this.httpCalls.values(), ...this.grpcCalls.values()]) call.abandon();
    this.notify("proxy_on_delete");
    this.vm.contexts.delete(this.id);
  }

  #scheduleTick(periodMs: number): void {
    this.#stopTicking = this.vm.world.clock.after(periodMs, () => {
      this.#scheduleTick(periodMs);
      this.notify("proxy_on_tick");
    });
  }
}
