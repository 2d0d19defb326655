import { proxy_set_effective_context as host_set_effective_context } from "./env";
import { forgetCached } from "./memory";
import { continue_request } from "./stream";
import { WasmResultValues } from "./values";

/** Makes the host calls that follow in this callback act on the stream, or the root, of this context. */
export function proxy_set_effective_context(context_id: u32): WasmResultValues {
  forgetCached();
  return host_set_effective_context(context_id);
}

/** What has a life in the proxy: a configured filter, or one stream through it. */
export abstract class BaseContext {
  context_id: u32;

  constructor(context_id: u32) {
    this.context_id = context_id;
  }

  /** The proxy is done with this context. Only a root that answers false lives on, until it calls `done`. */
  onDone(): bool {
    return true;
  }

  /** The last callback. */
  onDelete(): void {}

  /** As `proxy_set_effective_context`, with this context. */
  setEffectiveContext(): WasmResultValues {
    return proxy_set_effective_context(this.context_id);
  }

  /** As `continue_request`. */
  continueRequest(): void {
    continue_request();
  }
}
