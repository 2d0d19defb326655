/** What the host and Envoy are not compared in, or do not do alike, each with its reason. filters/testing/README.md has the same table. */
export const differences: readonly { readonly what: string; readonly because: string }[] = [
  {
    what: "what Envoy leaves undefined is not played",
    because: "it may crash or read freed memory; the host tells of it as a fault, and a strict host fails the test",
  },
  {
    what: "the values of `date`, `x-envoy-upstream-service-time`, `retry-after` and `ratelimit`",
    because: "they tell times; the host's clock stands still until the test moves it",
  },
  {
    what: "the order of names in the properties `request.headers` and `response.headers`",
    because: "Envoy gives them in the order of a hash",
  },
  {
    what: "how much of an answer has arrived when it is cut off",
    because: "it depends on what the sockets have taken by then",
  },
  {
    what: "the numbers of contexts, metrics, calls and shared values",
    because: "other streams use them too; that one number fits the other is compared",
  },
  {
    what: "how often a module is started",
    because: "Envoy also starts it for a canary and on its main thread, where it ticks too; the host has workers only",
  },
  {
    what: "headers that a listener adds: `server`, `x-request-id`, `x-envoy-*`",
    because:
      "they depend on the listener's configuration, which a filter's test has not; name those that matter in the request",
  },
  {
    what: "properties of the route, the cluster and the TLS connection",
    because: "there are none; a test gives those that the filter reads",
  },
  {
    what: "the foreign functions for CEL, signatures, declared properties and filter state",
    because: "the host has `compress`, `uncompress` and `clear_route_cache`; others answer NotFound and are a fault",
  },
  {
    what: "gRPC calls, queues between VMs, ticks, TCP connections, access logs, traps and swaps",
    because: "they are built by Envoy's source and tested in the host, but not compared by random scripts",
  },
];
