import { status } from "./abi.ts";
import type { ByteString } from "./bytes.ts";

interface Queue {
  /** Notifies the root that registered last. */
  ready: () => void;
  readonly waiting: Buffer[];
}

/** Queues between VMs. The id of a VM and a name identify a queue. */
export class SharedQueues {
  readonly #tokens = new Map<string, number>();
  readonly #queues: Queue[] = [];

  /** Registering again changes the receiver and keeps the waiting entries. */
  register(vmId: string, name: ByteString, ready: (token: number) => void): number {
    const key = `${vmId}\0${name}`;
    const token = this.#tokens.get(key) ?? this.#queues.length + 1;
    this.#tokens.set(key, token);
    const waiting = this.#queues[token - 1]?.waiting ?? [];
    this.#queues[token - 1] = { ready: () => ready(token), waiting };
    return token;
  }

  /** Undefined when the queue is not registered. */
  resolve(vmId: string, name: ByteString): number | undefined {
    return this.#tokens.get(`${vmId}\0${name}`);
  }

  /** Returns a function that notifies the receiver, or a status. */
  enqueue(token: number, data: Buffer): (() => void) | number {
    const queue = this.#queues[token - 1];
    if (queue === undefined) return status.notFound;
    queue.waiting.push(data);
    return queue.ready;
  }

  /** Returns the oldest entry, or a status. */
  dequeue(token: number): Buffer | number {
    const queue = this.#queues[token - 1];
    if (queue === undefined) return status.notFound;
    return queue.waiting.shift() ?? status.empty;
  }
}
