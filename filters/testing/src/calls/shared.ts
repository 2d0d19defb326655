import { status } from "../abi.ts";
import type { Caller, HostCall } from "./caller.ts";

/** Host calls for the data and queues that VMs share. */
export function sharedCalls(vm: Caller): Record<string, HostCall> {
  const { memory, world, settings } = vm;
  return {
    proxy_get_shared_data: (key = 0, size = 0, outValue = 0, outSize = 0, outCas = 0) => {
      const entry = world.sharedData.get(settings.id, memory.text(key, size));
      if (entry === undefined) return status.notFound;
      memory.hand(entry.value, outValue, outSize);
      memory.setWord(outCas, entry.cas);
      return status.ok;
    },
    proxy_set_shared_data: (key = 0, size = 0, value = 0, valueSize = 0, cas = 0) =>
      world.sharedData.set(settings.id, memory.text(key, size), memory.read(value, valueSize), cas >>> 0),
    proxy_register_shared_queue: (name = 0, size = 0, outToken = 0) => {
      const { root } = vm.context;
      const ready = (token: number) => {
        if (!root.deleted) root.notify("proxy_on_queue_ready", token);
      };
      memory.setWord(outToken, world.queues.register(settings.id, memory.text(name, size), ready));
      return status.ok;
    },
    proxy_resolve_shared_queue: (vmId = 0, vmIdSize = 0, name = 0, size = 0, outToken = 0) => {
      const owner = memory.text(vmId, vmIdSize);
      const token = world.queues.resolve(owner === "" ? settings.id : owner, memory.text(name, size));
      if (token === undefined) return status.notFound;
      memory.setWord(outToken, token);
      return status.ok;
    },
    proxy_enqueue_shared_queue: (token = 0, data = 0, size = 0) => {
      const notify = world.queues.enqueue(token >>> 0, memory.read(data, size));
      if (typeof notify === "number") return notify;
      world.later(notify);
      return status.ok;
    },
    proxy_dequeue_shared_queue: (token = 0, outData = 0, outSize = 0) => {
      const data = world.queues.dequeue(token >>> 0);
      if (typeof data === "number") return data;
      memory.hand(data, outData, outSize);
      return status.ok;
    },
  };
}
