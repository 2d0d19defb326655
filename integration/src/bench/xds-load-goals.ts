/** Which of a cell's goals a figure is held against. */
export type Goal = "sync" | "update" | "cpu" | "memory";

interface Cell {
  readonly streams: number;
  readonly clusters: number;
  /** What is updated: "endpoint" or "route". */
  readonly kind: string;
}

/** The figures of a run that are compared, and where `xds-load` writes them. */
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

/** The largest ratio to go-control-plane that we are content with. */
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
