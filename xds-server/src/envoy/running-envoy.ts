/** Where Envoy listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What Envoy says of one listener that it was told of. */
export interface ListenerState {
  readonly name: string;
  /** Where it listens; absent while it does not. */
  readonly address?: ListenAddress;
  /** Why Envoy rejected the newest version. */
  readonly rejection?: string;
}

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An Envoy that was started here. */
export interface RunningEnvoy {
  readonly pid: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Resolves when Envoy is gone, for whatever reason. */
  readonly exited: Promise<Exit>;
  /** The answer of Envoy's admin to a GET, such as "/config_dump"; throws unless it is 200. */
  admin(path: string): Promise<string>;
  /** True once Envoy has its first configuration and serves. */
  isReady(): Promise<boolean>;
  /** The listeners that Envoy was told of by the management server. */
  dynamicListeners(): Promise<readonly ListenerState[]>;
  /** The port of a listener that is active, static or not; throws when there is none. */
  listenerPort(name: string): Promise<number>;
  /** Counters and gauges whose name the regular expression matches. */
  stats(pattern: string): Promise<ReadonlyMap<string, number>>;
  /** The newest lines of its log, oldest first. */
  recentLog(): readonly string[];
  /** Ends it: SIGTERM, and SIGKILL when that does not help in time. */
  stop(): Promise<void>;
}
