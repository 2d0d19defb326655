/** The goals of a cell. Each figure is compared with one of them. */
export type Goal = "sync" | "update" | "cpu" | "memory";

interface Cell {
  readonly streams: number;
  readonly clusters: number;
  /** The kind of its updates: "endpoint" or "route". */
  readonly kind: string;
}

/** The figures that are compared, and where they are in a result of `xds-load`. */
export const measures: readonly {
  readonly name: string;
  readonly goal: Goal;
  readonly of: (result: Measured, kind: number) => number;
}[] = [
  { name: "first sync", goal: "sync", of: ({ initial_sync }) => initial_sync.last_ms },
  {
    name: "last stream has it",
    goal: "update",
    of: ({ kinds }, at) => kinds[at]?.median_over_updates.last_ms ?? Number.NaN,
  },
  {
    name: "server CPU an update",
    goal: "cpu",
    of: ({ kinds }, at) => kinds[at]?.server_cpu_ms_per_update ?? Number.NaN,
  },
  { name: "peak memory", goal: "memory", of: ({ kinds }, at) => kinds[at]?.phase.server_peak_mib ?? Number.NaN },
];

interface Measured {
  readonly initial_sync: { readonly last_ms: number };
  readonly kinds: readonly {
    readonly median_over_updates: { readonly last_ms: number };
    readonly server_cpu_ms_per_update: number;
    readonly phase: { readonly server_peak_mib: number };
  }[];
}

/** The largest acceptable ratio of this server's figure to that of go-control-plane. */
export function goalOf(goal: Goal, cell: Cell): number {
  return goalsOf(cell)[goal];
}

function goalsOf({ streams, clusters, kind }: Cell): Readonly<Record<Goal, number>> {
  if (streams >= 1_000 && clusters >= 1_000) {
    return kind === "route"
      ? { sync: 1 / 2, update: 1 / 1.3, cpu: 1 / 2, memory: 1 / 4 }
      : { sync: 1 / 2, update: 1 / 10, cpu: 1 / 10, memory: 1 / 4 };
  }
  if (streams >= 1_000) return { sync: 1, update: 1, cpu: 1 / 2, memory: 1 / 2 };
  if (streams >= 100 && clusters >= 1_000) return { sync: 1, update: 1 / 2, cpu: 1 / 3, memory: 1 };
  return { sync: 1, update: 1, cpu: 1, memory: 1.3 };
}
