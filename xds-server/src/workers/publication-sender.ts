import { type Publication, PublicationEncoder, type PublishedData } from "./publication.ts";

/**
 * Sends publications to a worker, one at a time and always the newest. A slow worker skips the ones in between, so there
 * is no queue.
 */
export class PublicationSender {
  readonly #published: () => PublishedData | undefined;
  readonly #send: (publication: Publication) => Promise<void>;
  readonly #encoder = new PublicationEncoder();
  #sent: PublishedData | undefined;
  #isSending = false;

  /**
   * `published` returns the newest publication: the same object until there is a newer one. `send` resolves when the worker
   * has applied the publication.
   */
  constructor(published: () => PublishedData | undefined, send: (publication: Publication) => Promise<void>) {
    this.#published = published;
    this.#send = send;
  }

  /** The newest publication, which then counts as sent. Undefined before the first publication. */
  next(): Publication | undefined {
    this.#sent = this.#published();
    return this.#sent && this.#encoder.next(this.#sent);
  }

  /** Sends the newest publication: now, or when the worker has applied the last one. */
  async send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#sent !== this.#published()) await this.sendNow();
    this.#isSending = false;
  }

  /**
   * Sends the newest publication at once, even before the worker has applied the last one. Calls to the
   * worker after this one see the new publication.
   */
  async sendNow(): Promise<void> {
    if (this.#sent === this.#published()) return;
    const publication = this.next();
    if (publication !== undefined) await this.#send(publication);
  }
}
