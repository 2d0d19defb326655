import { proxy_get_shared_data, proxy_set_shared_data } from "./env";
import { answered, OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { WasmResultValues } from "./values";

@final
export class GetSharedData {
  /** Null when the key has no value; `result` is then NotFound. */
  value: ArrayBuffer | null = null;
  result: WasmResultValues = WasmResultValues.Ok;
  /** The version of the value. Pass it to `set_shared_data` to write only if the value has not changed since. */
  cas: u32 = 0;
}

/** Reads data that all VMs with the same `vm_id` share, on every worker. It lasts as long as one of them exists. */
export function get_shared_data(key: string): GetSharedData {
  const data = new GetSharedData();
  const name = encode(key);
  data.result = proxy_get_shared_data(name, encodedSize, OUT, OUT + 4, OUT + 8);
  if (data.result !== WasmResultValues.Ok) return data;
  data.value = answered();
  data.cas = load<u32>(OUT, 8);
  return data;
}

/** Pass it as `cas` to write only when the key has no value. No real version reaches this number. */
export const NEW_KEY: u32 = u32.MAX_VALUE;

/** Writes shared data. CasMismatch when `cas` is not 0 and the value has changed since. The ABI cannot delete a key. */
export function set_shared_data(key: string, value: ArrayBuffer, cas: u32 = 0): WasmResultValues {
  const name = encode(key);
  return proxy_set_shared_data(name, encodedSize, changetype<usize>(value), value.byteLength, cas);
}
