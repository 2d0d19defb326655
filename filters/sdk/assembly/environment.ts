import { allocate, OUT } from "./memory";
import { bytesStartWith, decode } from "./text";
import { environ_get, environ_sizes_get, random_get } from "./wasi_snapshot_preview1";

/** A variable of the VM's environment (`vm_config.environment_variables`); empty when it is not set. */
export function getEnv(name: string): string {
  if (environ_sizes_get(OUT, OUT + 4) !== 0) return "";
  const count = load<u32>(OUT);
  const pointers = allocate((<usize>count) << 2);
  const text = allocate(load<usize>(OUT, 4));
  if (environ_get(pointers, text) !== 0) return "";
  const start = `${name}=`;
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<usize>(pointers + ((<usize>i) << 2));
    let size: usize = 0;
    while (load<u8>(entry + size) !== 0) size++;
    if (bytesStartWith(entry, size, start)) {
      const skipped = <usize>String.UTF8.byteLength(start);
      return decode(entry + skipped, size - skipped);
    }
  }
  return "";
}

/** An unpredictable number. */
export function get_random_u64(): u64 {
  return random_get(OUT, 8) === 0 ? load<u64>(OUT) : 0;
}

/** The seed of `Math.random`. The build passes this function to the compiler. */
export function seed(): f64 {
  return reinterpret<f64>(get_random_u64());
}
