import { addHeader } from "./host";

export { proxy_abi_version_0_2_1, proxy_on_configure, proxy_on_memory_allocate } from "./host";

export function proxy_on_response_headers(_context: u32, _count: u32, _end: u32): u32 {
  return addHeader();
}
