import { Rejection, stream_context } from "@chancery/filter-sdk";
import { denied, missing, unanswered } from "./counters";
import { Settings } from "./settings";

/** The outcome for the request of the running callback. */
export abstract class Outcome {
  /** Applies the outcome. True when the request continues; otherwise it is answered. */
  abstract apply(settings: Settings): bool;
}

/** The service accepted the credential. */
@final
export class Granted extends Outcome {
  /** The values of the headers in `set`, in their order. */
  private values: string[];

  constructor(values: string[]) {
    super();
    this.values = values;
  }

  override apply(settings: Settings): bool {
    const headers = stream_context.headers.request;
    headers.remove(settings.credential);
    for (let i = 0; i < this.values.length; i++) headers.replace(settings.given[i].name, this.values[i]);
    return true;
  }
}

/** The service rejected the credential. */
@final
export class Denied extends Outcome {
  private rejection: Rejection;

  constructor(status: u32, challenge: string, json: bool) {
    super();
    this.rejection = rejection(status, `denied{${status.toString()}}`, "the credential was rejected", json);
    if (status === 401) this.rejection.with("www-authenticate", challenge === "" ? "Bearer" : challenge);
  }

  override apply(_settings: Settings): bool {
    denied.increment(1);
    this.rejection.send();
    return false;
  }
}

/** The request has no credential. */
@final
export class Missing extends Outcome {
  private rejection: Rejection;

  constructor(json: bool) {
    super();
    this.rejection = rejection(401, "missing", "a credential is required", json).with("www-authenticate", "Bearer");
  }

  override apply(_settings: Settings): bool {
    missing.increment(1);
    this.rejection.send();
    return false;
  }
}

/** The service gave no usable answer, or was not called because of a limit. */
@final
export class Unanswered extends Outcome {
  private rejection: Rejection;

  constructor(json: bool) {
    super();
    this.rejection = rejection(503, "unanswered", "the authorisation service did not answer", json);
  }

  override apply(settings: Settings): bool {
    unanswered.increment(1);
    if (!settings.allowsUnanswered) {
      this.rejection.send();
      return false;
    }
    // Upstream trusts these headers, so those of the client must not reach it.
    const headers = stream_context.headers.request;
    headers.remove(settings.credential);
    for (let i = 0; i < settings.given.length; i++) headers.remove(settings.given[i].name);
    return true;
  }
}

function rejection(status: u32, details: string, reason: string, json: bool): Rejection {
  return new Rejection(status, `token_exchange_${details}`, "x-token-exchange-reason", reason, json);
}
