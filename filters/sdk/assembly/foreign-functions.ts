import { envoy_resolve_dns, proxy_call_foreign_function } from "./env";
import { allocate, answered, OUT } from "./memory";
import { decode, encode, encodedSize } from "./text";
import { WasmResultValues } from "./values";

@final
export class ForeignResult {
  /** NotFound when the proxy has no such function. */
  result: WasmResultValues = WasmResultValues.Ok;
  data: ArrayBuffer = new ArrayBuffer(0);
}

/**
 * Calls a function of the proxy that is not part of the ABI. Envoy has compress, uncompress, sign, verify_signature,
 * declare_property, set_envoy_filter_state, clear_route_cache, expr_create, expr_evaluate, expr_delete.
 */
export function foreign_function(name: string, argument: ArrayBuffer): ForeignResult {
  return call(name, changetype<usize>(argument), argument.byteLength);
}

/** Like `foreign_function`, but takes text. Returns an empty buffer when the call fails. */
export function call_foreign_function(function_name: string, argument: string): ArrayBuffer {
  const text = encode(argument);
  return call(function_name, text, encodedSize).data;
}

/** Makes the proxy choose the route again, after request headers were changed. */
export function clear_route_cache(): WasmResultValues {
  return call("clear_route_cache", 0, 0).result;
}

function call(name: string, argument: usize, argumentSize: usize): ForeignResult {
  const answer = new ForeignResult();
  const bytes = encode(name);
  store<u64>(OUT, 0);
  answer.result = proxy_call_foreign_function(bytes, encodedSize, argument, argumentSize, OUT, OUT + 4);
  if (answer.result === WasmResultValues.Ok && load<usize>(OUT, 4) > 0) answer.data = answered();
  return answer;
}

/** Resolves a host name. Returns the token that `onResolveDns` gets, or 0 when the call failed. */
export function resolve_dns(host: string): u32 {
  const name = encode(host);
  return envoy_resolve_dns(name, encodedSize, OUT) === WasmResultValues.Ok ? load<u32>(OUT) : 0;
}

@final
export class DnsAddress {
  address: string;
  /** In seconds. */
  ttl: u32;

  constructor(address: string, ttl: u32) {
    this.address = address;
    this.ttl = ttl;
  }
}

/**
 * Reads the buffer of `onResolveDns`: a count, a time to live for each address, then the addresses, ended by zero
 * bytes.
 */
export function dnsAddresses(data: ArrayBuffer): DnsAddress[] {
  const addresses: DnsAddress[] = [];
  const size = <usize>data.byteLength;
  if (size < 4) return addresses;
  const bytes = allocate(size + 1);
  memory.copy(bytes, changetype<usize>(data), size);
  store<u8>(bytes + size, 0);
  const count = min<usize>(load<u32>(bytes), (size - 4) >> 2);
  let text = bytes + 4 + (count << 2);
  for (let i: usize = 0; i < count && text < bytes + size; i++) {
    let end = text;
    while (load<u8>(end) !== 0) end++;
    addresses.push(new DnsAddress(decode(text, end - text), load<u32>(bytes + (i << 2), 4)));
    text = end + 1;
  }
  return addresses;
}
