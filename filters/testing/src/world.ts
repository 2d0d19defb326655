import { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { Outbox } from "./outbox.ts";
import { SharedData } from "./shared-data.ts";
import { SharedQueues } from "./shared-queues.ts";

/** The state that all VMs of a host share. Envoy has one of each in its process. */
export class World {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics = new Metrics();
  readonly sharedData = new SharedData();
  readonly queues = new SharedQueues();
  readonly outbox: Outbox;
  /** Mistakes of the filter. Envoy ignores some of them and crashes on others. */
  readonly faults: string[] = [];
  readonly onCallback: ((name: string) => void) | undefined;
  /** Tasks that run when the running callback, and everything that it started, has ended. */
  readonly #later: (() => void)[] = [];

  constructor(options: {
    readonly now: Date;
    readonly log: Log;
    readonly outbox: Outbox;
    readonly onCallback?: (name: string) => void;
  }) {
    this.onCallback = options.onCallback;
    this.clock = new Clock(options.now);
    this.log = options.log;
    this.outbox = options.outbox;
  }

  later(task: () => void): void {
    this.#later.push(task);
  }

  /** Runs the pending tasks, and the tasks that they add, in order. */
  settle(): void {
    for (let task = this.#later.shift(); task !== undefined; task = this.#later.shift()) task();
  }
}
