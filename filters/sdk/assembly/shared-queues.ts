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
  /** Empty when there is nothing in the queue. */
  result: WasmResultValues = WasmResultValues.Ok;
  data: ArrayBuffer | null = null;
}

/** Makes the queue if there is none, and this VM the one whose `onQueueReady` is called. */
export function register_shared_queue(queue_name: string): TokenSharedQueueResult {
  const name = encode(queue_name);
  return token(proxy_register_shared_queue(name, encodedSize, OUT));
}

/** Finds a queue that a VM registered, for writing to it. */
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
