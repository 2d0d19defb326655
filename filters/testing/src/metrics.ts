import { metricType, status } from "./abi.ts";

interface Metric {
  readonly type: number;
  readonly name: string;
  value: bigint;
  /** The recorded values of a histogram. */
  readonly samples: bigint[];
}

/** The statistics that filters define. VMs that define the same type and name share one metric. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  define(type: number, name: string): Metric {
    const key = `${type} ${name}`;
    const metric = this.#metrics.get(key) ?? { type, name, value: 0n, samples: [] };
    this.#metrics.set(key, metric);
    return metric;
  }

  find(type: number, name: string): Metric | undefined {
    return this.#metrics.get(`${type} ${name}`);
  }

  /** The values of counters and gauges by name. */
  get values(): Record<string, number> {
    const valued = [...this.#metrics.values()].filter(({ type }) => type !== metricType.histogram);
    return Object.fromEntries(valued.map(({ name, value }) => [name, Number(value)]));
  }
}

/** The ids of metrics in one VM. Each definition gets a new id. */
export class MetricIds {
  readonly #metrics: Metrics;
  readonly #byId = new Map<number, Metric>();
  readonly #lastId: number[] = [0, 1, 2];

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** The lowest two bits of an id are the metric's type. */
  define(type: number, name: string): number {
    const id = (this.#lastId[type] ?? 0) + 4;
    this.#lastId[type] = id;
    this.#byId.set(id, this.#metrics.define(type, name));
    return id;
  }

  increment(id: number, offset: bigint): number {
    const type = id & 3;
    if (type !== metricType.counter && type !== metricType.gauge) return status.badArgument;
    const metric = this.#byId.get(id);
    if (metric === undefined) return status.notFound;
    if (type === metricType.counter && offset <= 0n) return status.badArgument;
    metric.value = BigInt.asUintN(64, metric.value + offset);
    return status.ok;
  }

  record(id: number, value: bigint): number {
    const metric = this.#byId.get(id);
    if (metric === undefined) return status.notFound;
    if (metric.type === metricType.counter) metric.value = BigInt.asUintN(64, metric.value + value);
    else if (metric.type === metricType.gauge) metric.value = value;
    else metric.samples.push(value);
    return status.ok;
  }

  /** Returns the value, or a status when there is none. */
  read(id: number): bigint | number {
    const type = id & 3;
    if (type !== metricType.counter && type !== metricType.gauge) return status.badArgument;
    return this.#byId.get(id)?.value ?? status.notFound;
  }
}
