/** A room is a folder of xds-server/src, or a file at its top. This says what it is about, and what it may import. */
export interface Room {
  /** For docs/ARCHITECTURE.md. Files in backticks are named from the room. */
  readonly about: string;
  /** Other rooms, or single files of them, that it may import. */
  readonly imports: readonly string[];
  /**
   * The packages and modules of Node that it may import, and which names of them. A room with such a list is pure: no
   * I/O, clock, randomness, locale or log. Without one it is a shell, and may import any package, but not Node's test runner.
   */
  readonly pure?: Packages;
}

/** By package, or module of Node: the names that may be imported. */
export type Packages = Readonly<Record<string, "all" | readonly string[]>>;

/** The folder that contains all rooms. */
export const sourceFolder = "xds-server/src";

const protobuf: Packages = { "@bufbuild/protobuf": "all", "xds-proto-ts": "all" };

/**
 * All rooms, in the order in which docs/ARCHITECTURE.md lists them. The linter's borders (biome.rooms.json) and the
 * page's tables are made from here by `npm run generate`.
 */
export const rooms: Readonly<Record<string, Room>> = {
  "main.ts": { about: "the program `chancery`: its commands", imports: ["cli", "serve", "up"] },
  "index.ts": { about: "the management server as a library", imports: ["app", "model", "store"] },
  model: {
    about: "what operators write: a file for each kind, a row for each kind in `kinds.ts`",
    imports: [],
    pure: { "node:util": ["isDeepStrictEqual"], re2js: "all", zod: "all" },
  },
  reading: {
    about: "text to documents: YAML and JSON are parsed with every fault, each with its path",
    imports: ["model"],
    pure: { yaml: "all", zod: "all" },
  },
  resources: {
    about: "the xDS vocabulary: `resource-types.ts` has a row for each type, in push order",
    imports: [],
    pure: { ...protobuf, "node:crypto": ["createHash"] },
  },
  compile: {
    about: "a mesh to snapshots: a file for each resource type; `memo.ts` remembers, `edits.ts` compiles an edit alone",
    imports: ["filter-registry/abi.ts", "filter-registry/artifact.ts", "model", "resources"],
    pure: protobuf,
  },
  protocol: {
    about:
      "one stream: `subscription.ts` (names and wildcards), `type-stream.ts` (what is known of one type), `update-due.ts`, `transitions.ts`, `answers.ts`, `push-order.ts`, `heartbeat.ts`, `stream.ts` (all types)",
    imports: ["resources"],
    pure: {},
  },
  process: {
    about: "the process: `turns.ts` shares the event loop, `watchable.ts` is a value with watchers",
    imports: [],
  },
  store: {
    about: "revisions in SQLite; `store.contract.ts` is the suite that every store must pass",
    imports: ["model", "process"],
  },
  "filter-registry": {
    about: "versions of filters, their modules by sha256, and the reasons for which Envoy would reject a module",
    imports: ["model", "process"],
  },
  "mesh-writing": {
    about:
      "the one way to change the mesh; `filter-check.ts` runs filter configurations first, `config-files/` makes revisions of watched files",
    imports: ["compile", "filter-registry", "model", "process", "reading", "store"],
  },
  publishing: {
    about: "`reconciler.ts` compiles what has changed, `snapshot-cache.ts` holds the newest snapshots",
    imports: ["compile", "filter-registry", "model", "process", "resources", "store"],
  },
  "proxy-status": {
    about: "which proxy holds or rejects which resources",
    imports: ["model", "resources"],
  },
  load: { about: "the load that proxies report", imports: ["model"] },
  grpc: {
    about: "the transport: `call.ts` (what a method sees), `grpc-server.ts` (gRPC on HTTP/2)",
    imports: ["process"],
  },
  services: {
    about:
      "`xds-server.ts` puts the gRPC services on one port; `node-identity.ts` says which node ids a client may use",
    imports: ["grpc", "model", "process", "services/client-status", "services/discovery", "services/load-reporting"],
  },
  "services/discovery": {
    about: "the discovery services, in both variants: `discovery-stream.ts`, and `wire.ts` for its bytes",
    imports: [
      "grpc",
      "model",
      "process",
      "protocol",
      "proxy-status",
      "publishing",
      "resources",
      "services/limits.ts",
      "services/node-identity.ts",
      "services/node-message.ts",
    ],
  },
  "services/client-status": {
    about: "client status discovery (CSDS): nodes that match, and what each holds",
    imports: [
      "grpc",
      "model",
      "proxy-status",
      "publishing",
      "resources",
      "services/limits.ts",
      "services/node-identity.ts",
      "services/node-message.ts",
    ],
  },
  "services/load-reporting": {
    about: "load reporting (LRS)",
    imports: ["grpc", "load", "services/limits.ts", "services/node-identity.ts", "services/node-message.ts"],
  },
  workers: {
    about:
      "`--workers`: `pool.ts` keeps the processes, `publication.ts`, `publication-sender.ts` and `replica.ts` carry changes to them, `activity-reporter.ts` brings back status",
    imports: [
      "grpc",
      "load",
      "model",
      "process",
      "protocol",
      "proxy-status",
      "publishing",
      "resources",
      "services",
      "services/client-status",
      "services/discovery",
      "telemetry",
    ],
  },
  telemetry: { about: "the log and the metrics", imports: ["load", "proxy-status"] },
  "admin-api": {
    about:
      "what the admin API takes and answers: `operations.ts` has a row for each operation, `routes.ts` its method and URL",
    imports: ["load", "model", "proxy-status"],
  },
  admin: {
    about: "the HTTP API: a file for each group of routes; `write.ts` is the one way to write",
    imports: [
      "admin-api",
      "compile",
      "filter-registry",
      "load",
      "mesh-writing",
      "model",
      "proxy-status",
      "reading",
      "resources",
      "store",
      "telemetry",
    ],
  },
  app: {
    about:
      "`app.ts` joins all parts of a server and closes them in reverse; `limits.ts` has every bound that `--limit` sets",
    imports: [
      "admin",
      "compile",
      "filter-registry",
      "load",
      "mesh-writing",
      "model",
      "process",
      "proxy-status",
      "publishing",
      "services",
      "services/client-status",
      "store",
      "telemetry",
      "workers",
    ],
  },
  serve: { about: "the command `chancery serve`", imports: ["app", "envoy", "process", "services", "telemetry"] },
  up: { about: "the server, one Envoy and companions in one terminal", imports: ["app", "envoy", "serve"] },
  cli: {
    about: "a file for each command in `commands/`; talks HTTP to the admin API",
    imports: ["admin-api", "filter-bench", "filter-registry", "model", "reading"],
  },
  "filter-bench": {
    about: "what a filter costs a request, measured with a real Envoy; also for `filters/bench`",
    imports: ["envoy"],
  },
  envoy: { about: "finding or fetching Envoy, bootstraps, running one", imports: ["model"] },
};
