import { define_metric, increment_metric, record_metric } from "./metric-calls";
import { MetricTypeValues, WasmResultValues } from "./values";

/** The default maximum of series of one metric. Each series is a stat that stays for ever, on every worker. */
const SERIES: i32 = 1000;
/** The tag value that replaces new values when the metric has its maximum of series. */
const OVERFLOW: string = "other";
const LONGEST_VALUE: i32 = 128;
/** Marks a missing second argument. */
const NONE: u64 = u64.MAX_VALUE;

/** The number of series that a metric and its tagged series may still create. */
@final
class Budget {
  left: i32;
  constructor(left: i32) {
    this.left = left;
  }
}

/**
 * A metric, or one series of it. The ABI has no tags, so a tagged series is the stat `NAME;tag=value;tag=value`. Envoy
 * extracts the tags by `stats_tags` (see filters/README.md). The first write defines the stat in Envoy. So a metric can
 * be created in a global, where host calls are not allowed.
 */
abstract class Metric {
  private type: MetricTypeValues;
  protected name: string;
  protected budget: Budget;
  /** The tag value that distinguishes this series from its siblings. */
  private value: string = "";
  private tagName: string = "";
  /**
   * The series in a hash table by their value. A collision takes the next free place. The table is at most half full.
   */
  private children: StaticArray<Metric | null> | null = null;
  private childCount: i32 = 0;
  private defined: WasmResultValues = WasmResultValues.Empty;
  private id: u32 = 0;

  constructor(type: MetricTypeValues, name: string, budget: Budget) {
    this.type = type;
    this.name = name;
    this.budget = budget;
  }

  /** The host's id of this series. Defines the series if necessary. */
  get metric_id(): u32 {
    this.define();
    return this.id;
  }

  protected abstract series(name: string): Metric;

  /** The series with this tag value. Allocates nothing when the series exists. */
  protected child(tag: string, value: string): Metric {
    const children = this.children;
    if (children) {
      const known = unchecked(children[Metric.placeOf(children, value)]);
      if (known) return known;
    }
    if (this.tagName === "") this.tagName = tag;
    if (this.tagName !== tag) throw new Error(`tag ${tag} follows ${this.name}, which has ${this.tagName}`);
    const room = this.budget.left > 0;
    if (!room && value !== OVERFLOW) return this.child(tag, OVERFLOW);
    if (room) this.budget.left--;
    const child = this.series(`${this.name};${tag}=${tagValue(value)}`);
    child.value = value;
    this.keep(child);
    return child;
  }

  protected add(offset: i64): WasmResultValues {
    const ready = this.define();
    return ready === WasmResultValues.Ok ? increment_metric(this.id, offset) : ready;
  }

  protected write(value: u64): WasmResultValues {
    const ready = this.define();
    return ready === WasmResultValues.Ok ? record_metric(this.id, value) : ready;
  }

  private define(): WasmResultValues {
    if (this.defined !== WasmResultValues.Ok) {
      const answer = define_metric(this.type, this.name);
      this.defined = answer.result;
      this.id = answer.metric_id;
    }
    return this.defined;
  }

  private keep(child: Metric): void {
    let children = this.children;
    this.childCount++;
    if (!children || this.childCount << 1 > children.length) {
      const grown = new StaticArray<Metric | null>(children ? children.length << 1 : 8);
      for (let i = 0; children !== null && i < children.length; i++) {
        const moved = unchecked(children[i]);
        if (moved) unchecked((grown[Metric.placeOf(grown, moved.value)] = moved));
      }
      children = grown;
      this.children = grown;
    }
    unchecked((children[Metric.placeOf(children, child.value)] = child));
  }

  /** The place of a value's series in the table, or the free place for it. */
  private static placeOf(children: StaticArray<Metric | null>, value: string): i32 {
    const mask = children.length - 1;
    let hash: u32 = 2166136261;
    for (let i = 0; i < value.length; i++) hash = (hash ^ value.charCodeAt(i)) * 16777619;
    let at = (hash ^ (hash >> 15)) & mask;
    while (true) {
      const found = unchecked(children[at]);
      if (!found || found.value === value) return at;
      at = (at + 1) & mask;
    }
  }
}

/** A metric that only goes up. */
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

/** A metric that goes up and down. */
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

  /** `record(value)`, or as in other SDKs `record(gauge.metric_id, value)`. */
  record(value_or_id: u64, value: u64 = NONE): WasmResultValues {
    return value === NONE ? this.write(value_or_id) : record_metric(<u32>value_or_id, value);
  }

  protected series(name: string): Metric {
    return new Gauge(name, 0, this.budget);
  }
}

/** A metric that records the distribution of its values. */
@final
export class Histogram extends Metric {
  constructor(name: string, maxSeries: i32 = SERIES, budget: Budget = new Budget(maxSeries)) {
    super(MetricTypeValues.Histogram, name, budget);
  }

  tag(name: string, value: string): Histogram {
    return changetype<Histogram>(this.child(name, value));
  }

  /** `record(value)`, or as in other SDKs `record(histogram.metric_id, value)`. */
  record(value_or_id: u64, value: u64 = NONE): WasmResultValues {
    return value === NONE ? this.write(value_or_id) : record_metric(<u32>value_or_id, value);
  }

  protected series(name: string): Metric {
    return new Histogram(name, 0, this.budget);
  }
}

/**
 * Makes a value that the tag's regular expression can extract: printable, without semicolon, not empty, not too long.
 */
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
