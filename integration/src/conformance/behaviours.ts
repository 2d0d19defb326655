/**
 * Behaviours that xDS servers got wrong before, each with the issues that report it. The number of a behaviour is its place in
 * the list, from 1.
 */
export const behaviours: readonly { readonly says: string; readonly metIn: string }[] = [
  {
    says: "A rejected configuration is not sent again until it changes.",
    metIn: "envoyproxy/go-control-plane#962, #46, #794; kgateway-dev/kgateway#14701",
  },
  {
    says: "A NACK is recognised by error_detail, not by comparing version and nonce.",
    metIn: "envoyproxy/envoy#14841",
  },
  {
    says: "Endpoints are sent again when their cluster changes, even if they did not change.",
    metIn: "envoyproxy/go-control-plane#245, #1035; kumahq/kuma#331; envoyproxy/java-control-plane#131",
  },
  {
    says: "Order on ADS: clusters, endpoints, listeners, routes.",
    metIn: "envoyproxy/go-control-plane#59, #218, #544",
  },
  {
    says: "A cluster is removed last, after the routes that used it.",
    metIn: "kumahq/kuma#4556; envoyproxy/go-control-plane#353",
  },
  {
    says: "Delta reports at once that a name does not exist, and still remembers the subscription.",
    metIn: "envoyproxy/go-control-plane#565, #488; envoyproxy/envoy#9317",
  },
  {
    says: "A resource is sent again when the client re-subscribes to it, changed or not.",
    metIn: "envoyproxy/go-control-plane#431; envoyproxy/java-control-plane#339",
  },
  {
    says: "A delta reconnect is answered with the difference to initial_resource_versions, including removals.",
    metIn: "istio/istio#41494; envoyproxy/envoy#22418",
  },
  {
    says: "A version from before a restart is not mistaken for a current one.",
    metIn: "agent-substrate/substrate#617; wso2/api-platform#1196",
  },
  {
    says: "Wildcards: an empty list is one only until the client names a resource; an explicit one alone and with names; unsubscribing from it.",
    metIn: "envoyproxy/go-control-plane#558, #855; cilium/cilium#45288; envoyproxy/envoy#16861",
  },
  {
    says: "Nonces are per type and stream. Stale SotW requests get no answer. Delta subscriptions are valid with any nonce.",
    metIn: "envoyproxy/envoy#10363, #16659; projectcontour/contour#1187",
  },
  {
    says: "No response of a type is sent after the client unsubscribes from all its names, not even an empty one.",
    metIn: "envoyproxy/envoy#3355",
  },
  {
    says: "A subscription to names that do not all exist is kept and answered later. Existing resources are sent at once.",
    metIn: "envoyproxy/go-control-plane#1318; envoyproxy/java-control-plane#127",
  },
  {
    says: "One slow or dead client does not block the others or the writes of the operator.",
    metIn: "envoyproxy/go-control-plane#503, #875, #570",
  },
  {
    says: "Large first requests are accepted: initial_resource_versions can exceed gRPC's default of 4 MiB.",
    metIn: "envoyproxy/envoy#46072; envoyproxy/gateway#9564",
  },
];
