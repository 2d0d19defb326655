import { Ledger, type Publication, type PublishedData } from "./publication.ts";

/**
 * Tells a worker what is published: the newest only, one publication at a time, so that a slow worker skips what came in
 * between and makes no queue.
 */
export class Teller {
  readonly #published: () => PublishedData | undefined;
  readonly #send: (publication: Publication) => Promise<void>;
  readonly #ledger = new Ledger();
  #told: PublishedData | undefined;
  #isTelling = false;

  /** `published`: the newest, the same object as long as it is. `send` resolves when the worker has taken it. */
  constructor(published: () => PublishedData | undefined, send: (publication: Publication) => Promise<void>) {
    this.#published = published;
    this.#send = send;
  }

  /** What there is to tell; undefined while nothing was published. It counts as told. */
  next(): Publication | undefined {
    this.#told = this.#published();
    return this.#told && this.#ledger.next(this.#told);
  }

  /** Tells the newest, now or when the last is taken. */
  async tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#told !== this.#published()) await this.tellNow();
    this.#isTelling = false;
  }

  /** Tells the newest, also while the last is not taken yet: whatever is sent next is answered by it. */
  async tellNow(): Promise<void> {
    if (this.#told === this.#published()) return;
    const publication = this.next();
    if (publication !== undefined) await this.#send(publication);
  }
}
