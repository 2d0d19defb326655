import { ClientStream, fenceName, fences } from "./client-stream.ts";
import { pathOf, type ResourceName, resource, type TestResource, type TypeName, type Variant } from "./resources.ts";
import type { Feature, Target } from "./target.ts";

/** The rules of one section of the protocol document. */
export interface Section {
  readonly title: string;
  readonly rules: readonly Rule[];
}

export type Rule = Grounds & {
  /** The behaviour of a server that follows the rule: "sends later changes". */
  readonly does: string;
  /** "may": the rule is optional, and is Chancery's choice. Absent: the rule is required. */
  readonly strength?: "may";
  readonly variants: readonly Variant[];
  readonly needs?: readonly Feature[];
  /** The numbers of the behaviours in behaviours.ts that it proves. */
  readonly behaviours?: readonly number[];
  /** Throws when the rule is broken. */
  readonly check: (lab: Lab) => Promise<void>;
};

type Grounds =
  | {
      /** The sentence that the rule tests, quoted. */
      readonly says: string;
      /** The place of the sentence. Absent: the protocol document. */
      readonly source?: string;
    }
  | {
      /** The reason for the rule, in our words. */
      readonly learned: string;
      /** Where the reason was learned. */
      readonly source: string;
    };

/** The reason for a rule, as text. */
export function groundsOf(rule: Rule): string {
  const text = "says" in rule ? `“${rule.says}”` : rule.learned;
  return rule.source === undefined ? text : `${text} (${rule.source})`;
}

export const both: readonly Variant[] = ["sotw", "delta"];
export const sotwOnly: readonly Variant[] = ["sotw"];
export const deltaOnly: readonly Variant[] = ["delta"];

interface LabOptions {
  readonly target: Target;
  readonly variant: Variant;
  /** The resources that are published now. They stay published after the lab closes. */
  readonly published: Map<string, ResourceName>;
  readonly patienceMs: number;
}

interface OpenOptions {
  /** The type of a stream of one type. Absent: an aggregated stream. */
  readonly only?: TypeName;
  /** Absent: the stream gets a new node. */
  readonly nodeId?: string;
  /** The client features in the node. Absent: none. */
  readonly features?: readonly string[];
}

/** The environment of one rule: a server with only the resources that the rule published, and streams of one variant. */
export class Lab {
  readonly variant: Variant;
  readonly target: Target;
  readonly #published: Map<string, ResourceName>;
  readonly #patienceMs: number;
  readonly #streams: ClientStream[] = [];

  constructor({ target, variant, published, patienceMs }: LabOptions) {
    this.target = target;
    this.variant = variant;
    this.#published = published;
    this.#patienceMs = patienceMs;
  }

  /** Publishes these resources and the fences, and deletes all others. */
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

  /** Opens a stream, either aggregated or of the service of one type. */
  open({ only, nodeId = freshNodeId(), features = [] }: OpenOptions = {}): ClientStream {
    const method = this.variant === "sotw" ? "StreamAggregatedResources" : "DeltaAggregatedResources";
    const aggregated = `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`;
    const path = only === undefined ? aggregated : pathOf(only, this.variant);
    const { variant } = this;
    const address = this.target.address();
    const stream = new ClientStream({
      address,
      path,
      variant,
      nodeId,
      features,
      patienceMs: this.#patienceMs,
      maxResponses,
    });
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

/** More than a rule causes on one stream. */
const maxResponses = 100;

/** Runs rules against one target, one after the other. */
export class Suite {
  readonly #target: Target;
  readonly #published = new Map<string, ResourceName>();
  readonly #patienceMs: number;

  /** `patienceMs` is how long a response may take before the rule counts as broken. */
  constructor(target: Target, { patienceMs }: { readonly patienceMs: number }) {
    this.#target = target;
    this.#patienceMs = patienceMs;
  }

  /** The features that a rule needs and the target lacks. */
  missing({ needs = [] }: Rule): readonly Feature[] {
    return needs.filter((feature) => this.#target.lacks.has(feature));
  }

  /** Throws when the target breaks the rule. */
  async run({ check }: Rule, variant: Variant): Promise<void> {
    const lab = new Lab({ target: this.#target, variant, published: this.#published, patienceMs: this.#patienceMs });
    try {
      await check(lab);
    } finally {
      lab.close();
    }
  }
}
