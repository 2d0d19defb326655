// Written by hand: one global state, direct host calls, static memory, no collector. It shows the minimum cost of a
// filter.

import {
  proxy_add_header_map_value,
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_pairs,
  proxy_get_shared_data,
  proxy_send_local_response,
  proxy_set_shared_data,
} from "@chancery/filter-sdk/env";

export const OUT: usize = memory.data(32, 8);
const arena: usize = memory.data(65536, 8);
let next: usize = arena;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  const block = next;
  next = (block + size + 7) & ~7;
  return next > arena + 65536 ? 0 : block;
}

const configured: usize = memory.data(1024);
let configuredSize: usize = 0;

export function proxy_on_configure(_context: u32, size: u32): u32 {
  next = arena;
  if (size === 0) return 1;
  if (size > 1024 || proxy_get_buffer_bytes(7, 0, size, OUT, OUT + 4) !== 0) return 0;
  configuredSize = load<usize>(OUT, 4);
  memory.copy(configured, load<usize>(OUT), configuredSize);
  return 1;
}

const HELLO: usize = memory.data<u8>([0x78, 0x2d, 0x68, 0x65, 0x6c, 0x6c, 0x6f]);
const KEY: usize = memory.data<u8>([0x78, 0x2d, 0x61, 0x70, 0x69, 0x2d, 0x6b, 0x65, 0x79]);
const BUCKET: usize = memory.data<u8>([0x62, 0x75, 0x63, 0x6b, 0x65, 0x74]);
const EVIL: u32 = 0x6c697665;
const DENIED: usize = memory.data<u8>([0x64, 0x65, 0x6e, 0x69, 0x65, 0x64]);

export function addHeader(): u32 {
  proxy_add_header_map_value(2, HELLO, 7, configured, configuredSize);
  return 0;
}

function deny(status: u32): u32 {
  proxy_send_local_response(status, 0, 0, DENIED, 6, 0, 0, -1);
  return 1;
}

export function apiKey(): u32 {
  next = arena;
  if (proxy_get_header_map_pairs(0, OUT, OUT + 4) !== 0) return deny(403);
  const pairs = load<usize>(OUT);
  let text = pairs + 4 + (load<usize>(pairs) << 3);
  for (let i: usize = 0, count = load<usize>(pairs); i < count; i++) {
    const nameSize = load<usize>(pairs + 4 + (i << 3));
    const valueSize = load<usize>(pairs + 8 + (i << 3));
    if (nameSize === 9 && memory.compare(text, KEY, 9) === 0) {
      const same = valueSize === configuredSize && memory.compare(text + 10, configured, valueSize) === 0;
      return same ? 0 : deny(403);
    }
    text += nameSize + valueSize + 2;
  }
  return deny(403);
}

const written: usize = memory.data(16, 8);

export function bucket(): u32 {
  for (let attempt = 0; attempt < 10; attempt++) {
    next = arena;
    let cas: u32 = 0;
    const found = proxy_get_shared_data(BUCKET, 6, OUT, OUT + 4, OUT + 8) === 0;
    const at = load<usize>(OUT);
    const size = load<usize>(OUT, 4);
    if (found) cas = load<u32>(OUT, 8);
    proxy_get_current_time_nanoseconds(OUT);
    const now = load<u64>(OUT);
    const known = found && size === 16;
    let tokens: f64 = known ? load<f64>(at) : 1e9;
    tokens = min(1e9, tokens + (<f64>(now - (known ? load<u64>(at, 8) : now)) * 1e9) / 1e9);
    if (tokens < 1) return deny(429);
    store<f64>(written, tokens - 1);
    store<u64>(written, now, 8);
    if (proxy_set_shared_data(BUCKET, 6, written, 16, cas) === 0) return 0;
  }
  return 0;
}

export function readHeaders(): u32 {
  next = arena;
  if (proxy_get_header_map_pairs(0, OUT, OUT + 4) !== 0) return 0;
  const pairs = load<usize>(OUT);
  let text = pairs + 4 + (load<usize>(pairs) << 3);
  let length: usize = 0;
  for (let i: usize = 0, count = load<usize>(pairs); i < count; i++) {
    const nameSize = load<usize>(pairs + 4 + (i << 3));
    const valueSize = load<usize>(pairs + 8 + (i << 3));
    if (valueSize === 4 && load<u32>(text + nameSize + 1) === EVIL) return deny(403);
    length += nameSize + valueSize;
    text += nameSize + valueSize + 2;
  }
  return length < 1000000 ? 0 : deny(403);
}
