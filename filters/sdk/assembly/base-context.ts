import { proxy_set_effective_context as host_set_effective_context } from "./env";
import { forgetCached } from "./memory";
import { continue_request } from "./stream";
import { WasmResultValues } from "./values";

/** Later host calls in this callback act on the stream or root of this context. */
export function proxy_set_effective_context(context_id: u32): WasmResultValues {
  forgetCached();
  return host_set_effective_context(context_id);
}

/** The base of root contexts and stream contexts. The proxy creates and deletes both. */
export abstract class BaseContext {
  context_id: u32;

  constructor(context_id: u32) {
    this.context_id = context_id;
  }

  /** The proxy has finished with this context. A root may return false to stay alive until it calls `done`. */
  onDone(): bool {
    return true;
  }

  /** The last callback. */
  onDelete(): void {}

  /** Calls `proxy_set_effective_context` with this context. */
  setEffectiveContext(): WasmResultValues {
    return proxy_set_effective_context(this.context_id);
  }

  /** Calls `continue_request`. */
  continueRequest(): void {
    continue_request();
  }
}
