import { Refusal, stream_context } from "@chancery/filter-sdk";
import { denied, missing, unanswered } from "./counters";
import { Settings } from "./settings";

/** What becomes of the request of the running callback. */
export abstract class Outcome {
  /** Whether the request goes on; otherwise it has been answered. */
  abstract apply(settings: Settings): bool;
}

/** The service said yes. */
@final
export class Granted extends Outcome {
  /** Of the headers that are set, in their order. */
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

/** The service said no. */
@final
export class Denied extends Outcome {
  private rejection: Refusal;

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

/** There was nothing to ask the service about. */
@final
export class Missing extends Outcome {
  private rejection: Refusal;

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

/** Nobody knows what the service would have said. */
@final
export class Unanswered extends Outcome {
  private rejection: Refusal;

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
    // Upstream trusts these names, so what the client sent under them must not reach it.
    const headers = stream_context.headers.request;
    headers.remove(settings.credential);
    for (let i = 0; i < settings.given.length; i++) headers.remove(settings.given[i].name);
    return true;
  }
}

function rejection(status: u32, details: string, reason: string, json: bool): Refusal {
  return new Refusal(status, `token_exchange_${details}`, "x-token-exchange-reason", reason, json);
}
