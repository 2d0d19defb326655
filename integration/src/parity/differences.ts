/**
 * The differences between the host and Envoy, and the things that are not compared, with their reasons.
 * filters/testing/README.md has the same table.
 */
export const differences: readonly { readonly what: string; readonly because: string }[] = [
  {
    what: "calls whose effect Envoy leaves undefined are not played",
    because: "Envoy may crash or read freed memory; the host reports a fault, and a strict host fails the test",
  },
  {
    what: "the values of `date`, `x-envoy-upstream-service-time`, `retry-after` and `ratelimit`",
    because: "they depend on the time; the host's clock stands still until the test advances it",
  },
  {
    what: "the order of names in the properties `request.headers` and `response.headers`",
    because: "Envoy orders them by a hash",
  },
  {
    what: "how much of an answer has arrived when it is cut off",
    because: "it depends on how much the sockets have sent by then",
  },
  {
    what: "the numbers of contexts, metrics, calls and shared values",
    because: "other streams take numbers too; it is compared whether one number always means one thing",
  },
  {
    what: "how often a module is started",
    because:
      "Envoy also starts it once to try it, and on its main thread, where it also ticks; the host has only workers",
  },
  {
    what: "headers that a listener adds: `server`, `x-request-id`, `x-envoy-*`",
    because: "they depend on the listener, which a filter's test does not have; put those that matter into the request",
  },
  {
    what: "properties of the route, the cluster and the TLS connection",
    because: "the host has none; a test gives those that the filter reads",
  },
  {
    what: "the foreign functions for CEL, signatures, declared properties and filter state",
    because: "the host has `compress`, `uncompress` and `clear_route_cache`; others return NotFound and are a fault",
  },
  {
    what: "gRPC calls, queues between VMs, ticks, TCP connections, access logs, traps and swaps",
    because: "they follow Envoy's source and have tests of the host, but random scripts do not compare them",
  },
];
