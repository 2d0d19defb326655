export { type Bootstrap, type BootstrapOptions, bootstrap, type ProxyTls, type XdsVariant } from "./bootstrap.ts";
export { type FindEnvoyOptions, type FoundEnvoy, findEnvoy } from "./find-envoy.ts";
export { RecentLines } from "./recent-lines.ts";
export type { Exit, ListenAddress, ListenerState, RunningEnvoy } from "./running-envoy.ts";
export { describeExit, type StartEnvoyOptions, startEnvoy } from "./start-envoy.ts";
