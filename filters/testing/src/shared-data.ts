import { status } from "./abi.ts";
import type { ByteString } from "./bytes.ts";

interface Entry {
  readonly value: Buffer;
  /** Another with each write; a writer that names an older one is refused. */
  readonly cas: number;
}

/** Values that all VMs of one `vm_id` share. */
export class SharedData {
  readonly #byVm = new Map<string, Map<ByteString, Entry>>();
  #lastCas = 0;

  get(vmId: string, key: ByteString): Entry | undefined {
    return this.#byVm.get(vmId)?.get(key);
  }

  /** A `cas` of 0 writes in any case. */
  set(vmId: string, key: ByteString, value: Buffer, cas: number): number {
    const entries = this.#byVm.get(vmId) ?? new Map<ByteString, Entry>();
    this.#byVm.set(vmId, entries);
    const before = entries.get(key);
    if (before !== undefined && cas !== 0 && cas !== before.cas) return status.casMismatch;
    entries.set(key, { value, cas: ++this.#lastCas });
    return status.ok;
  }
}
