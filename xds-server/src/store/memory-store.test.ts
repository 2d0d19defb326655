import { setImmediate as nextTurn } from "node:timers/promises";
import { MemoryDatabase, type MemoryStoreOptions, openMemoryStore } from "./memory-store.ts";
import { type StorePlace, sharedStoreContract, storeContract } from "./store.contract.ts";

const latencies: readonly (() => MemoryStoreOptions["latency"])[] = [() => undefined, () => nextTurn, uneven];

for (const latencyOf of latencies) {
  const place = (): StorePlace => {
    const database = new MemoryDatabase();
    const latency = latencyOf();
    return { open: (options) => openMemoryStore({ ...options, database, ...(latency && { latency }) }) };
  };
  storeContract(place);
  sharedStoreContract(place);
}

/** Waits one to three turns of the event loop, so that answers arrive in another order than the requests. */
function uneven(): () => Promise<void> {
  let count = 0;
  return async () => {
    count += 1;
    for (let turns = count % 3; turns >= 0; turns--) await nextTurn();
  };
}
