import { log, refresh_log_level } from "./log";
import { get_buffer_bytes, get_property_string } from "./stream";
import {
  BufferTypeValues,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterTrailersStatusValues,
  LogLevelValues,
} from "./values";

/** What has a life in the proxy: a configured filter, or one stream through it. */
export abstract class BaseContext {
  readonly context_id: u32;

  constructor(context_id: u32) {
    this.context_id = context_id;
  }

  /** The proxy is done with this context; answer true. */
  onDone(): bool {
    return true;
  }

  /** The last callback. */
  onDelete(): void {}
}

/** One configured filter. A VM may hold several: each listener, and each new configuration, makes its own. */
export class RootContext extends BaseContext {
  private configuration: string = "";

  constructor(context_id: u32) {
    super(context_id);
  }

  /** The filter's configuration as text; empty when it has none. */
  getConfiguration(): string {
    return this.configuration;
  }

  /** Makes the context of a stream. */
  createContext(context_id: u32): Context {
    return new Context(context_id, this);
  }

  onStart(_vm_configuration_size: u32): bool {
    return true;
  }

  /** Reads the configuration. False refuses it: the proxy goes on with the one that it had. Say why in the log. */
  onConfigure(_configuration_size: u32): bool {
    return true;
  }

  /** Takes the configuration, which is readable only while the proxy configures. */
  configure(size: u32): bool {
    refresh_log_level();
    this.configuration = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, size));
    return this.onConfigure(size);
  }
}

/** One HTTP stream. Made when its first callback comes, and freed after `onDelete`. */
export class Context extends BaseContext {
  readonly root_context: RootContext;

  constructor(context_id: u32, root_context: RootContext) {
    super(context_id);
    this.root_context = root_context;
  }

  onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }

  /** `body_buffer_length` is what the buffer holds now: everything so far, while the body is being buffered. */
  onRequestBody(_body_buffer_length: u32, _end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue;
  }

  onRequestTrailers(_trailers: u32): FilterTrailersStatusValues {
    return FilterTrailersStatusValues.Continue;
  }

  onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }

  onResponseBody(_body_buffer_length: u32, _end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue;
  }

  onResponseTrailers(_trailers: u32): FilterTrailersStatusValues {
    return FilterTrailersStatusValues.Continue;
  }

  /** The stream has ended. Headers can be read, not written. Also called for streams that never reached the filter. */
  onLog(): void {}
}

const factories = new Map<string, (context_id: u32) => RootContext>();
const contexts = new Map<u32, BaseContext>();

/** Registers a filter under a name. With one filter in the module, the proxy's `root_id` need not name it. */
export function registerRootContext(root_context_factory: (context_id: u32) => RootContext, name: string): void {
  factories.set(name, root_context_factory);
}

/** Stands in for a root that the module does not know, and refuses to be configured. */
class UnknownRoot extends RootContext {
  override onConfigure(_configuration_size: u32): bool {
    const names = factories.keys().join(", ");
    log(LogLevelValues.error, `no filter is registered as ${get_property_string("plugin_root_id")}, only: ${names}`);
    return false;
  }
}

export function createRoot(context_id: u32): void {
  const names = factories.keys();
  const name = names.length === 1 ? names[0] : get_property_string("plugin_root_id");
  contexts.set(context_id, factories.has(name) ? factories.get(name)(context_id) : new UnknownRoot(context_id));
}

export function createStream(context_id: u32, root_id: u32): void {
  contexts.set(context_id, rootOf(root_id).createContext(context_id));
}

export function rootOf(context_id: u32): RootContext {
  return changetype<RootContext>(contexts.get(context_id));
}

export function streamOf(context_id: u32): Context {
  return changetype<Context>(contexts.get(context_id));
}

export function contextOf(context_id: u32): BaseContext {
  return contexts.get(context_id);
}

export function forget(context_id: u32): void {
  contexts.delete(context_id);
}
