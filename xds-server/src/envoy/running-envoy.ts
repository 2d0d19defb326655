/** An address to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The state of one dynamic listener in Envoy. */
export interface ListenerState {
  readonly name: string;
  /** The address that it listens on. Absent while it does not listen. */
  readonly address?: ListenAddress;
  /** Why Envoy rejected the newest version. Absent when it did not. */
  readonly rejection?: string;
}

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An Envoy that `startEnvoy` started. */
export interface RunningEnvoy {
  readonly pid: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Resolves when Envoy has ended, for any reason. */
  readonly exited: Promise<Exit>;
  /** The body of Envoy's admin for a GET of a path such as "/config_dump". Throws unless the status is 200. */
  admin(path: string): Promise<string>;
  /** Whether Envoy has its first configuration and serves it. */
  isReady(): Promise<boolean>;
  /** The listeners that Envoy got from the management server. */
  dynamicListeners(): Promise<readonly ListenerState[]>;
  /** The port of an active listener, static or dynamic. Throws when there is no listener of this name. */
  listenerPort(name: string): Promise<number>;
  /** The counters and gauges whose names match the regular expression. */
  stats(pattern: string): Promise<ReadonlyMap<string, number>>;
  /** The newest lines of its log, oldest first. */
  recentLog(): readonly string[];
  /** Ends Envoy: with SIGTERM, and with SIGKILL if it does not end in time. */
  stop(): Promise<void>;
}
