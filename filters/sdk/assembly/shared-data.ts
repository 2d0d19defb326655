import { proxy_get_shared_data, proxy_set_shared_data } from "./env";
import { answered, OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { WasmResultValues } from "./values";

@final
export class GetSharedData {
  /** Null when there is none; `result` then is NotFound. */
  value: ArrayBuffer | null = null;
  result: WasmResultValues = WasmResultValues.Ok;
  /** Names this state of the value: give it to `set_shared_data` to write only when nobody else has. */
  cas: u32 = 0;
}

/** What all VMs with the same `vm_id` share, on every worker, by key. It lasts until the last of them is gone. */
export function get_shared_data(key: string): GetSharedData {
  const data = new GetSharedData();
  const name = encode(key);
  data.result = proxy_get_shared_data(name, encodedSize, OUT, OUT + 4, OUT + 8);
  if (data.result !== WasmResultValues.Ok) return data;
  data.value = answered();
  data.cas = load<u32>(OUT, 8);
  return data;
}

/** As `cas`: write only when there is no value under the key yet. No value has had so many written before it. */
export const NEW_KEY: u32 = u32.MAX_VALUE;

/** CasMismatch when `cas` is not 0 and the value was written since it was read. The ABI cannot delete a key. */
export function set_shared_data(key: string, value: ArrayBuffer, cas: u32 = 0): WasmResultValues {
  const name = encode(key);
  return proxy_set_shared_data(name, encodedSize, changetype<usize>(value), value.byteLength, cas);
}
