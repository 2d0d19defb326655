import { type Publication, PublicationEncoder, type PublishedData } from "./publication.ts";

/**
 * Tells a worker what is published: the newest only, one publication at a time, so that a slow worker skips what came in
 * between and makes no queue.
 */
export class PublicationSender {
  readonly #published: () => PublishedData | undefined;
  readonly #send: (publication: Publication) => Promise<void>;
  readonly #encoder = new PublicationEncoder();
  #sent: PublishedData | undefined;
  #isSending = false;

  /** `published`: the newest, the same object as long as it is. `send` resolves when the worker has taken it. */
  constructor(published: () => PublishedData | undefined, send: (publication: Publication) => Promise<void>) {
    this.#published = published;
    this.#send = send;
  }

  /** What there is to tell; undefined while nothing was published. It counts as told. */
  next(): Publication | undefined {
    this.#sent = this.#published();
    return this.#sent && this.#encoder.next(this.#sent);
  }

  /** Tells the newest, now or when the last is taken. */
  async send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#sent !== this.#published()) await this.sendNow();
    this.#isSending = false;
  }

  /** Tells the newest, also while the last is not taken yet: whatever is sent next is answered by it. */
  async sendNow(): Promise<void> {
    if (this.#sent === this.#published()) return;
    const publication = this.next();
    if (publication !== undefined) await this.#send(publication);
  }
}
