/** A suite that can run with a larger figure than in `npm test`. */
export interface LongSuite {
  /** The name in `npm run test:long -- NAME`. */
  readonly name: string;
  readonly file: string;
  /** The environment variable that sets the suite's figure. */
  readonly variable: string;
  readonly figure: number;
  /** The things that the figure counts. */
  readonly unit: string;
  /** After this time the suite is killed and counts as failed. */
  readonly limitMinutes: number;
}

export const longSuites: readonly LongSuite[] = [
  {
    name: "model",
    file: "xds-server/src/protocol/model.test.ts",
    variable: "CHANCERY_MODEL_OPERATIONS",
    figure: 1_000_000,
    unit: "random operations on twenty streams",
    limitMinutes: 30,
  },
  {
    name: "compile",
    file: "xds-server/src/compile/memo.random.test.ts",
    variable: "CHANCERY_COMPILE_RUNS",
    figure: 20_000,
    unit: "random sequences of changes for each property of the compiler",
    limitMinutes: 20,
  },
  {
    name: "frames",
    file: "integration/src/hostile/frames.test.ts",
    variable: "CHANCERY_HOSTILE_FRAMES",
    figure: 1_000_000,
    unit: "hostile frames",
    limitMinutes: 60,
  },
  {
    name: "storms",
    file: "integration/src/hostile/storms.test.ts",
    variable: "CHANCERY_STORM_SECONDS",
    figure: 60,
    unit: "seconds with 1,000 clients that reject everything",
    limitMinutes: 15,
  },
  {
    name: "kills",
    file: "integration/src/processes/server-kill.test.ts",
    variable: "CHANCERY_KILLS",
    figure: 100,
    unit: "kills of the server during changes",
    limitMinutes: 30,
  },
  {
    name: "fleet",
    file: "integration/src/discovery/fleet.test.ts",
    variable: "CHANCERY_FLEET",
    figure: 100,
    unit: "Envoys",
    limitMinutes: 15,
  },
  {
    name: "canary",
    file: "integration/src/pushed-filters/canary.test.ts",
    variable: "CANARY_RUNS",
    figure: 20,
    unit: "canaries that fail",
    limitMinutes: 20,
  },
  {
    name: "swaps",
    file: "integration/src/pushed-filters/swaps.test.ts",
    variable: "SWAPS",
    figure: 1_000,
    unit: "swaps of a filter under load",
    limitMinutes: 30,
  },
  {
    name: "parity",
    file: "integration/src/parity/parity.test.ts",
    variable: "CHANCERY_PARITY_CASES",
    figure: 10_000,
    unit: "random scripts of host calls, beside Envoy",
    limitMinutes: 60,
  },
];
