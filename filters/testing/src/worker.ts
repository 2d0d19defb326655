import { Context, type Plugin, RootContext } from "./context.ts";
import { type Trap, trapOf } from "./trap.ts";
import { Vm, type VmSettings } from "./vm.ts";
import type { WasmModule } from "./web-assembly.ts";
import type { World } from "./world.ts";

/** A module, its VM and its plugin, as a listener configures them. */
export interface FilterSetup {
  readonly module: WasmModule;
  readonly settings: VmSettings;
  readonly plugin: Plugin;
}

/** A configured filter on one worker, and the number of streams that use it. */
interface Serving {
  readonly root: RootContext;
  streams: number;
  /** True when a newer filter replaced it. */
  replaced: boolean;
}

export type Begun =
  | { readonly root: RootContext }
  | { readonly trap: Trap }
  /** The callback that answered false. */
  | { readonly rejectedIn: string };

/** Creates a VM and configures the filter in it. Throws MissingImport. */
export function begin({ module, settings, plugin }: FilterSetup, world: World): Begun {
  let vm: Vm;
  try {
    vm = new Vm(module, settings, world);
  } catch (error) {
    const trap = trapOf("the start section", error, settings.sourceMap);
    if (trap === undefined) throw error;
    return { trap };
  }
  // Initialisation runs in the context of the VM, not of a plugin.
  vm.start(new Context(vm, plugin, undefined, 0));
  return vm.trap === undefined ? configured(new RootContext(vm, plugin)) : { trap: vm.trap };
}

function configured(root: RootContext): Begun {
  const rejectedIn = root.begin();
  if (root.vm.trap !== undefined) return { trap: root.vm.trap };
  return rejectedIn === undefined ? { root } : { rejectedIn };
}

/**
 * One of Envoy's worker threads. It has its own VM. After a swap it keeps the old filter until its last stream has
 * ended.
 */
export class Worker {
  readonly #world: World;
  #setup: FilterSetup;
  #serving: Serving;

  constructor(setup: FilterSetup, root: RootContext, world: World) {
    this.#world = world;
    this.#setup = setup;
    this.#serving = { root, streams: 0, replaced: false };
  }

  get root(): RootContext {
    return this.#serving.root;
  }

  /** Replaces the filter. A new configuration stays in the same VM, unless that VM trapped. New code gets a new VM. */
  swap(setup: FilterSetup): void {
    const before = this.#serving;
    const { module, settings } = this.#setup;
    const sameVm = setup.module === module && setup.settings === settings && before.root.vm.trap === undefined;
    const begun = sameVm ? configured(new RootContext(before.root.vm, setup.plugin)) : begin(setup, this.#world);
    this.#setup = setup;
    if ("root" in begun) this.#serving = { root: begun.root, streams: 0, replaced: false };
    before.replaced = true;
    this.#retire(before);
  }

  /** Replaces a VM that trapped. */
  reload(): void {
    const begun = begin(this.#setup, this.#world);
    if ("root" in begun) this.#serving = { root: begun.root, streams: 0, replaced: false };
  }

  /** Creates the context of a stream or connection. Call `ended` when the stream is over. */
  serve<C>(make: (root: RootContext) => C): { readonly context: C; ended(): void } {
    const serving = this.#serving;
    serving.streams++;
    const ended = () => {
      serving.streams--;
      this.#retire(serving);
    };
    return { context: make(serving.root), ended };
  }

  /** Removes the filter. */
  end(): void {
    this.#serving.replaced = true;
    this.#retire(this.#serving);
  }

  #retire({ root, streams, replaced }: Serving): void {
    if (replaced && streams === 0 && !root.deleted && !root.pendingDone) root.end();
  }
}
