import { status } from "./abi.ts";
import type { ByteString } from "./bytes.ts";

interface Queue {
  /** Tells the one that registered last. */
  ready: () => void;
  readonly waiting: Buffer[];
}

/** Queues between VMs, each known by a VM's id and a name. */
export class SharedQueues {
  readonly #tokens = new Map<string, number>();
  readonly #queues: Queue[] = [];

  /** Registering again moves the receiver and keeps what waits. */
  register(vmId: string, name: ByteString, ready: (token: number) => void): number {
    const key = `${vmId}\0${name}`;
    const token = this.#tokens.get(key) ?? this.#queues.length + 1;
    this.#tokens.set(key, token);
    const waiting = this.#queues[token - 1]?.waiting ?? [];
    this.#queues[token - 1] = { ready: () => ready(token), waiting };
    return token;
  }

  /** Undefined when nobody has registered it. */
  resolve(vmId: string, name: ByteString): number | undefined {
    return this.#tokens.get(`${vmId}\0${name}`);
  }

  /** Answers how to tell the receiver, or a status. */
  enqueue(token: number, data: Buffer): (() => void) | number {
    const queue = this.#queues[token - 1];
    if (queue === undefined) return status.notFound;
    queue.waiting.push(data);
    return queue.ready;
  }

  /** The oldest, or a status. */
  dequeue(token: number): Buffer | number {
    const queue = this.#queues[token - 1];
    if (queue === undefined) return status.notFound;
    return queue.waiting.shift() ?? status.empty;
  }
}
