import { status } from "./abi.ts";
import type { ByteString } from "./bytes.ts";

interface Entry {
  readonly value: Buffer;
  /** Changes with each write. A write that names an older one is rejected. */
  readonly cas: number;
}

/** Values that all VMs with the same `vm_id` share. */
export class SharedData {
  readonly #byVm = new Map<string, Map<ByteString, Entry>>();
  #lastCas = 0;

  get(vmId: string, key: ByteString): Entry | undefined {
    return this.#byVm.get(vmId)?.get(key);
  }

  /** With a `cas` of 0, the write always succeeds. */
  set(vmId: string, key: ByteString, value: Buffer, cas: number): number {
    const entries = this.#byVm.get(vmId) ?? new Map<ByteString, Entry>();
    this.#byVm.set(vmId, entries);
    const before = entries.get(key);
    if (before !== undefined && cas !== 0 && cas !== before.cas) return status.casMismatch;
    entries.set(key, { value, cas: ++this.#lastCas });
    return status.ok;
  }
}
