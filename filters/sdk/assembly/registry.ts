import { BaseContext } from "./base-context";
import { Context, RootContext } from "./context";
import { addContext, findContext, removeContext } from "./contexts";
import { log } from "./log";
import { get_property_string } from "./properties";
import { LogLevelValues } from "./values";

/** One filter of the module. A linked list needs less code than an array. */
class Registration {
  name: string;
  factory: (context_id: u32) => RootContext;
  next: Registration | null;

  constructor(name: string, factory: (context_id: u32) => RootContext, next: Registration | null) {
    this.name = name;
    this.factory = factory;
    this.next = next;
  }
}

let registered: Registration | null = null;

/** Registers a filter under a name. When the module has one filter, the proxy's `root_id` need not be its name. */
export function registerRootContext(root_context_factory: (context_id: u32) => RootContext, name: string): void {
  registered = new Registration(name, root_context_factory, registered);
}

/** The root for a `root_id` that the module does not know. It rejects its configuration. */
class UnknownRoot extends RootContext {
  override onConfigure(_configuration_size: u32): bool {
    let known = "";
    let each = registered;
    while (each) {
      known += ` ${each.name}`;
      each = each.next;
    }
    log(
      LogLevelValues.error,
      `no filter is registered as ${get_property_string("plugin_root_id")}; known names are${known}`,
    );
    return false;
  }
}

export function createRoot(context_id: u32): void {
  const root = makeRoot(context_id);
  root.context_id = context_id;
  addContext(root);
}

function makeRoot(context_id: u32): RootContext {
  let each = registered;
  if (each && !each.next) return each.factory(context_id);
  const name = get_property_string("plugin_root_id");
  while (each) {
    if (each.name === name) return each.factory(context_id);
    each = each.next;
  }
  return new UnknownRoot(context_id);
}

export function createStream(context_id: u32, root_id: u32): void {
  const stream = rootOf(root_id).createContext(context_id);
  stream.context_id = context_id;
  addContext(stream);
}

/**
 * Null when the context was never created or is already deleted. Only the last callbacks may be called for such a
 * context.
 */
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
