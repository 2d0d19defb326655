import {
  Context,
  FilterHeadersStatusValues,
  get_monotonic_time_nanoseconds,
  HeaderPair,
  HttpHandler,
  RootContext,
  stream_context,
  WasmResultValues,
} from "@chancery/filter-sdk";
import { readAnswer } from "./answer";
import { Cache } from "./cache";
import { failures, hits, misses, overflows, shared } from "./counters";
import { Missing, Outcome, Unanswered } from "./outcome";
import { Settings } from "./settings";

/**
 * The maximum number of streams that one call may hold. All of them continue in one callback, each with several host
 * calls, and a callback has fuel for 10,000 host calls.
 */
const MOST_HELD: i32 = 300;

/** The hash of the running request's credential. */
const hash: usize = memory.data(32, 8);

/** The cache and the calls of one configuration, on one worker. */
export class Exchange {
  readonly settings: Settings;
  private root: RootContext;
  private missing: Missing;
  private unanswered: Unanswered;
  private cache: Cache;
  private calls: Map<string, Call> = new Map();
  /** The number of streams that are held. */
  private waiting: i32 = 0;

  constructor(root: RootContext, settings: Settings) {
    this.root = root;
    this.settings = settings;
    this.missing = new Missing(settings.json);
    this.unanswered = new Unanswered(settings.json);
    this.cache = new Cache(settings.entries);
  }

  /** The outcome for the stream's request; null when it must wait for the service. */
  ask(stream: ExchangeStream): Outcome | null {
    const settings = this.settings;
    if (!stream_context.headers.request.sha256(settings.credential, hash)) return this.missing;
    // The bytes of the hash become the units of a string. So equal credentials give equal keys, and no credential is
    // stored.
    const key = String.UTF16.decodeUnsafe(hash, 32);
    const known = this.cache.get(key, nowMs());
    if (known) {
      hits.increment(1);
      return known;
    }
    const call = this.callFor(key);
    if (!call) return this.unanswered;
    call.waiting.push(stream);
    stream.call = call;
    this.waiting++;
    return null;
  }

  /** Removes a stream that ended while it was held. */
  leave(stream: ExchangeStream, call: Call): void {
    call.waiting.splice(call.waiting.indexOf(stream), 1);
    this.waiting--;
  }

  /** Applies the answer to every waiting stream, and caches it. */
  answered(call: Call, headers: u32, body_size: u32): void {
    const answer = readAnswer(this.settings, headers, body_size);
    const outcome: Outcome = answer ? answer.outcome : this.unanswered;
    this.calls.delete(call.key);
    if (answer) this.cache.set(call.key, outcome, nowMs(), answer.keptMs);
    this.waiting -= call.waiting.length;
    for (let i = 0; i < call.waiting.length; i++) {
      const stream = call.waiting[i];
      stream.call = null;
      stream.setEffectiveContext();
      if (outcome.apply(this.settings)) stream.continueRequest();
    }
  }

  /** The pending call for a credential, or a new one; null when a limit is reached or the call failed. */
  private callFor(key: string): Call | null {
    const settings = this.settings;
    const underway = this.calls.has(key) ? this.calls.get(key) : null;
    const isFull = underway ? underway.waiting.length >= MOST_HELD : this.calls.size >= settings.mostCalls;
    if (isFull || this.waiting >= settings.mostWaiting) {
      overflows.increment(1);
      return null;
    }
    if (underway) {
      shared.increment(1);
      return underway;
    }
    misses.increment(1);
    const call = new Call(this.root, this, key);
    const credential = HeaderPair.of(settings.credential, stream_context.headers.request.get(settings.credential));
    const headers = settings.callHeaders.concat([credential]);
    const nothing = new ArrayBuffer(0);
    const begun = this.root.httpCallFor(settings.cluster, headers, nothing, [], settings.deadlineMs, call);
    if (begun === WasmResultValues.Ok) {
      this.calls.set(key, call);
      return call;
    }
    failures.increment(1);
    return null;
  }
}

/** One call to the service. It belongs to the root, because the stream that made it may end before the others. */
@final
export class Call extends HttpHandler {
  readonly key: string;
  readonly waiting: ExchangeStream[] = [];
  private exchange: Exchange;

  constructor(root: RootContext, exchange: Exchange, key: string) {
    super(root);
    this.exchange = exchange;
    this.key = key;
  }

  override onAnswer(headers: u32, body_size: u32, _trailers: u32): void {
    this.exchange.answered(this, headers, body_size);
  }
}

@final
export class ExchangeStream extends Context {
  /** The call that the stream waits for. */
  call: Call | null = null;
  private exchange: Exchange;

  constructor(context_id: u32, root: RootContext, exchange: Exchange) {
    super(context_id, root);
    this.exchange = exchange;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const outcome = this.exchange.ask(this);
    // This holds body and trailers too, and stops reading from the client when the buffer is full.
    if (!outcome) return FilterHeadersStatusValues.StopAllIterationAndWatermark;
    const goesOn = outcome.apply(this.exchange.settings);
    return goesOn ? FilterHeadersStatusValues.Continue : FilterHeadersStatusValues.StopIteration;
  }

  override onDelete(): void {
    const call = this.call;
    if (call) this.exchange.leave(this, call);
  }
}

/** The time by a clock that cannot be set back. */
function nowMs(): i64 {
  return get_monotonic_time_nanoseconds() / 1_000_000;
}
