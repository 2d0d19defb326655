import { ClientStream, fenceName, fences, type Variant } from "./client-stream.ts";
import { pathOf, type ResourceName, resource, type TestResource, type TypeName } from "./resources.ts";
import type { Feature, Target } from "./target.ts";

/** The rules of one section of the protocol document. */
export interface Section {
  readonly title: string;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** What a server does that keeps the rule. */
  readonly does: string;
  /** The sentence that it stands for. */
  readonly says: string;
  /** Where the sentence is, when it is not in the protocol document. */
  readonly source?: string;
  /** "may": a server that does otherwise is right too, and this one chose. Absent: "must". */
  readonly strength?: "may";
  readonly variants: readonly Variant[];
  readonly needs?: readonly Feature[];
  /** Which of the behaviours in behaviours.ts it proves. */
  readonly behaviours?: readonly number[];
  /** Throws when the rule is broken. */
  readonly check: (lab: Lab) => Promise<void>;
}

export const both: readonly Variant[] = ["sotw", "delta"];
export const sotwOnly: readonly Variant[] = ["sotw"];
export const deltaOnly: readonly Variant[] = ["delta"];

/** What a rule works with: a server that serves just what the rule published, and streams of one variant. */
export class Lab {
  readonly variant: Variant;
  readonly target: Target;
  readonly #published: Map<string, ResourceName>;
  readonly #streams: ClientStream[] = [];

  constructor(target: Target, variant: Variant, published: Map<string, ResourceName>) {
    this.target = target;
    this.variant = variant;
    this.#published = published;
  }

  /** Makes these the only resources there are, beside the fences. */
  async serve(...wanted: readonly TestResource[]): Promise<void> {
    const set = [...wanted, ...fences.map((type) => resource(type, fenceName))];
    const keep = new Set(set.map(keyOf));
    const gone = [...this.#published].filter(([key]) => !keep.has(key)).map(([, name]) => name);
    await this.change(set, gone);
  }

  async publish(...set: readonly TestResource[]): Promise<void> {
    await this.change(set, []);
  }

  async remove(...names: readonly ResourceName[]): Promise<void> {
    await this.change([], names);
  }

  /** Sets and deletes in one publication. */
  async change(set: readonly TestResource[], gone: readonly ResourceName[]): Promise<void> {
    for (const each of set) this.#published.set(keyOf(each), { type: each.type, name: each.name });
    for (const each of gone) this.#published.delete(keyOf(each));
    await this.target.publish({ set, delete: gone.map(({ type, name }) => ({ type, name })) });
  }

  /** A new stream of a new node: aggregated, or that of one type's own service. */
  open({ only, nodeId = freshNodeId() }: { only?: TypeName; nodeId?: string } = {}): ClientStream {
    const method = this.variant === "sotw" ? "StreamAggregatedResources" : "DeltaAggregatedResources";
    const aggregated = `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`;
    const path = only === undefined ? aggregated : pathOf(only, this.variant);
    const stream = new ClientStream({ address: this.target.address(), path, variant: this.variant, nodeId });
    this.#streams.push(stream);
    return stream;
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }
}

const keyOf = ({ type, name }: ResourceName): string => `${type} ${name}`;

let nodes = 0;
const freshNodeId = (): string => `conformance-${process.pid}-${++nodes}`;

/** Runs rules against one target, one after the other. */
export class Suite {
  readonly #target: Target;
  readonly #published = new Map<string, ResourceName>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** What a rule needs and the target says it lacks. */
  missing({ needs = [] }: Rule): readonly Feature[] {
    return needs.filter((feature) => this.#target.lacks.has(feature));
  }

  /** Throws when the target breaks the rule. */
  async run({ check }: Rule, variant: Variant): Promise<void> {
    const lab = new Lab(this.#target, variant, this.#published);
    try {
      await check(lab);
    } finally {
      lab.close();
    }
  }
}
