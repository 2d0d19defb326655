import type { Variant } from "../protocol/type-stream.ts";
import type { DiscoveryMetrics } from "../services/discovery/stream-deps.ts";
import type { ActivityReport } from "./services.ts";

/**
 * Gathers the activity of a worker and sends it to the server, one report at a time. While the server has not answered a
 * report, later activity is merged. So the memory for it is bounded by the number of proxies.
 */
export class ActivityReporter implements DiscoveryMetrics {
  readonly #send: (report: ActivityReport) => Promise<void>;
  readonly #isConnected: (nodeId: string) => boolean;
  #changed = new Set<string>();
  #pushed = new Map<string, number>();
  #nacked = new Map<string, number>();
  readonly #streams = new Map<Variant, number>();
  #isSending = false;
  #hasMore = false;

  constructor(send: (report: ActivityReport) => Promise<void>, isConnected: (nodeId: string) => boolean) {
    this.#send = send;
    this.#isConnected = isConnected;
  }

  /** The status of a proxy changed. */
  changed(nodeId: string): void {
    this.#changed.add(nodeId);
    this.#schedule();
  }

  pushed(shortName: string): void {
    this.#pushed.set(shortName, (this.#pushed.get(shortName) ?? 0) + 1);
    this.#schedule();
  }

  nacked(shortName: string): void {
    this.#nacked.set(shortName, (this.#nacked.get(shortName) ?? 0) + 1);
    this.#schedule();
  }

  streams(variant: Variant, change: number): void {
    this.#streams.set(variant, (this.#streams.get(variant) ?? 0) + change);
    this.#schedule();
  }

  /** Sends a report at the end of this turn of the event loop, so that it covers the whole turn. */
  #schedule(): void {
    this.#hasMore = true;
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    while (this.#hasMore) {
      this.#hasMore = false;
      const report: ActivityReport = {
        changed: new Map([...this.#changed].map((nodeId) => [nodeId, this.#isConnected(nodeId)])),
        pushed: this.#pushed,
        nacked: this.#nacked,
        streams: new Map(this.#streams),
      };
      this.#changed = new Set();
      this.#pushed = new Map();
      this.#nacked = new Map();
      await this.#send(report);
    }
    this.#isSending = false;
  }
}
