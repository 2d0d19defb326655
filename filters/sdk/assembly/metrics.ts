import { proxy_define_metric, proxy_increment_metric, proxy_record_metric } from "./env";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { MetricTypeValues, WasmResultValues } from "./values";

/** Series that one metric may have when its author names no number: each is a stat for ever, on every worker. */
const SERIES: i32 = 1000;
/** Stands for the values of a tag that came after the metric had all the series it may have. */
const OVERFLOW: string = "other";
const LONGEST_VALUE: i32 = 128;

/** Counts how many series a metric and everything tagged from it may still make. */
class Budget {
  left: i32;
  constructor(left: i32) {
    this.left = left;
  }
}

/**
 * A metric, or one series of it. The ABI knows no tags, so a tagged series is the stat `NAME;tag=value;tag=value`, from
 * which Envoy takes the tags by `stats_tags` (see filters/README.md). It is defined in Envoy when first written to, and
 * may therefore be made in a global, where host calls are not allowed yet.
 */
abstract class Metric {
  private type: MetricTypeValues;
  protected name: string;
  protected budget: Budget;
  private tagged: Map<string, Metric> = new Map();
  private tagName: string = "";
  private defined: WasmResultValues = WasmResultValues.Empty;
  private id: u32 = 0;

  constructor(type: MetricTypeValues, name: string, budget: Budget) {
    this.type = type;
    this.name = name;
    this.budget = budget;
  }

  protected abstract series(name: string): Metric;

  /** The series with this tag. Nothing is built or allocated for one that is known already. */
  protected child(tag: string, value: string): Metric {
    if (this.tagged.has(value)) return this.tagged.get(value);
    if (this.tagName === "") this.tagName = tag;
    if (this.tagName !== tag) throw new Error(`tag ${tag} follows ${this.name}, which has ${this.tagName}`);
    const room = this.budget.left > 0;
    if (!room && value !== OVERFLOW) return this.child(tag, OVERFLOW);
    if (room) this.budget.left--;
    const child = this.series(`${this.name};${tag}=${tagValue(value)}`);
    this.tagged.set(value, child);
    return child;
  }

  protected add(offset: i64): WasmResultValues {
    const ready = this.define();
    return ready === WasmResultValues.Ok ? proxy_increment_metric(this.id, offset) : ready;
  }

  protected write(value: u64): WasmResultValues {
    const ready = this.define();
    return ready === WasmResultValues.Ok ? proxy_record_metric(this.id, value) : ready;
  }

  private define(): WasmResultValues {
    if (this.defined !== WasmResultValues.Ok) {
      const name = encode(this.name);
      this.defined = proxy_define_metric(this.type, name, encodedSize, OUT);
      this.id = load<u32>(OUT);
    }
    return this.defined;
  }
}

/** Goes up only. */
@final
export class Counter extends Metric {
  constructor(name: string, maxSeries: i32 = SERIES, budget: Budget = new Budget(maxSeries)) {
    super(MetricTypeValues.Counter, name, budget);
  }

  tag(name: string, value: string): Counter {
    return changetype<Counter>(this.child(name, value));
  }

  increment(offset: u32): WasmResultValues {
    return offset === 0 ? WasmResultValues.Ok : this.add(offset);
  }

  protected series(name: string): Metric {
    return new Counter(name, 0, this.budget);
  }
}

/** Goes up and down. */
@final
export class Gauge extends Metric {
  constructor(name: string, maxSeries: i32 = SERIES, budget: Budget = new Budget(maxSeries)) {
    super(MetricTypeValues.Gauge, name, budget);
  }

  tag(name: string, value: string): Gauge {
    return changetype<Gauge>(this.child(name, value));
  }

  increment(offset: i64): WasmResultValues {
    return this.add(offset);
  }

  record(value: u64): WasmResultValues {
    return this.write(value);
  }

  protected series(name: string): Metric {
    return new Gauge(name, 0, this.budget);
  }
}

/** Keeps the spread of the values. */
@final
export class Histogram extends Metric {
  constructor(name: string, maxSeries: i32 = SERIES, budget: Budget = new Budget(maxSeries)) {
    super(MetricTypeValues.Histogram, name, budget);
  }

  tag(name: string, value: string): Histogram {
    return changetype<Histogram>(this.child(name, value));
  }

  record(value: u64): WasmResultValues {
    return this.write(value);
  }

  protected series(name: string): Metric {
    return new Histogram(name, 0, this.budget);
  }
}

/** Within what the tag's regular expression finds again: no semicolon, nothing unprintable, not empty, not long. */
function tagValue(value: string): string {
  if (value === "") return "none";
  let clean = "";
  const length = min(value.length, LONGEST_VALUE);
  for (let i = 0; i < length; i++) {
    const unit = value.charCodeAt(i);
    clean += unit > 32 && unit < 127 && unit !== 59 /* ; */ ? value.charAt(i) : "_";
  }
  return clean;
}
