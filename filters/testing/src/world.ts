import { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { Outbox } from "./outbox.ts";
import { SharedData } from "./shared-data.ts";
import { SharedQueues } from "./shared-queues.ts";

/** What all VMs of a host share: Envoy has one of each in its process. */
export class World {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics = new Metrics();
  readonly sharedData = new SharedData();
  readonly queues = new SharedQueues();
  readonly outbox: Outbox;
  /** What Envoy lets pass or dies of, and what no filter should do. */
  readonly faults: string[] = [];
  readonly onCallback: ((name: string) => void) | undefined;
  /** What happens when the running callback and all that it began have ended. */
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

  /** Runs what waits, and what that makes wait, in order. */
  settle(): void {
    for (let task = this.#later.shift(); task !== undefined; task = this.#later.shift()) task();
  }
}
