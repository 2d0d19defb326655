import {
  proxy_dequeue_shared_queue,
  proxy_enqueue_shared_queue,
  proxy_register_shared_queue,
  proxy_resolve_shared_queue,
} from "./env";
import { answered, OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { WasmResultValues } from "./values";

@final
export class TokenSharedQueueResult {
  result: WasmResultValues = WasmResultValues.Ok;
  token: u32 = 0;
}

@final
export class DequeueSharedQueueResult {
  /** Empty when the queue has no entry. */
  result: WasmResultValues = WasmResultValues.Ok;
  data: ArrayBuffer | null = null;
}

/** Creates the queue if necessary, and makes this root its receiver: the proxy calls its `onQueueReady`. */
export function register_shared_queue(queue_name: string): TokenSharedQueueResult {
  const name = encode(queue_name);
  return token(proxy_register_shared_queue(name, encodedSize, OUT));
}

/** Finds a queue that a VM registered, to write to it. */
export function resolve_shared_queue(vm_id: string, queue_name: string): TokenSharedQueueResult {
  const vm = encode(vm_id);
  const vmSize = encodedSize;
  const name = encode(queue_name);
  return token(proxy_resolve_shared_queue(vm, vmSize, name, encodedSize, OUT));
}

export function enqueue_shared_queue(queue: u32, data: ArrayBuffer): WasmResultValues {
  return proxy_enqueue_shared_queue(queue, changetype<usize>(data), data.byteLength);
}

export function dequeue_shared_queue(queue: u32): DequeueSharedQueueResult {
  const answer = new DequeueSharedQueueResult();
  answer.result = proxy_dequeue_shared_queue(queue, OUT, OUT + 4);
  if (answer.result === WasmResultValues.Ok) answer.data = answered();
  return answer;
}

function token(result: WasmResultValues): TokenSharedQueueResult {
  const answer = new TokenSharedQueueResult();
  answer.result = result;
  if (result === WasmResultValues.Ok) answer.token = load<u32>(OUT);
  return answer;
}
