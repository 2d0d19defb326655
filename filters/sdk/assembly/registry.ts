import { BaseContext } from "./base-context";
import { Context, RootContext } from "./context";
import { addContext, findContext, removeContext } from "./contexts";
import { log } from "./log";
import { get_property_string } from "./properties";
import { LogLevelValues } from "./values";

const factories: Array<(context_id: u32) => RootContext> = [];
const names: string[] = [];

/** Registers a filter under a name. With one filter in the module, the proxy's `root_id` need not name it. */
export function registerRootContext(root_context_factory: (context_id: u32) => RootContext, name: string): void {
  factories.push(root_context_factory);
  names.push(name);
}

/** Stands in for a root that the module does not know, and refuses to be configured. */
class UnknownRoot extends RootContext {
  override onConfigure(_configuration_size: u32): bool {
    const known = names.join(", ");
    log(LogLevelValues.error, `no filter is registered as ${get_property_string("plugin_root_id")}, only: ${known}`);
    return false;
  }
}

export function createRoot(context_id: u32): void {
  const at = names.length === 1 ? 0 : names.indexOf(get_property_string("plugin_root_id"));
  const root = at < 0 ? new UnknownRoot(context_id) : factories[at](context_id);
  root.context_id = context_id;
  addContext(root);
}

export function createStream(context_id: u32, root_id: u32): void {
  const stream = rootOf(root_id).createContext(context_id);
  stream.context_id = context_id;
  addContext(stream);
}

/** Null when the context was never made or is gone, which no callback but the last ones may be called for. */
export function contextOf(context_id: u32): BaseContext | null {
  return findContext(context_id);
}

export function rootOf(context_id: u32): RootContext {
  return changetype<RootContext>(known(context_id));
}

export function streamOf(context_id: u32): Context {
  return changetype<Context>(known(context_id));
}

export function forget(context_id: u32): void {
  removeContext(context_id);
}

function known(context_id: u32): usize {
  const context = changetype<usize>(findContext(context_id));
  if (context === 0) unreachable();
  return context;
}
