import { registry } from "xds-proto-ts";
import type { Variant } from "../../protocol/type-stream.ts";
import { type ResourceType, resourceTypes } from "../../resources/resource-types.ts";

/** One streaming discovery method. */
export interface DiscoveryMethod {
  readonly service: string;
  readonly method: string;
  readonly variant: Variant;
  /** The only type that it serves; absent for an aggregated method. */
  readonly onlyType?: ResourceType;
}

const variantOf: Readonly<Record<string, Variant>> = {
  "envoy.service.discovery.v3.DiscoveryRequest": "sotw",
  "envoy.service.discovery.v3.DeltaDiscoveryRequest": "delta",
};

/** Every streaming method of the aggregated service and of each type's own, as Envoy's API defines them. */
export function discoveryMethods(): readonly DiscoveryMethod[] {
  const aggregated = streamingMethods("envoy.service.discovery.v3.AggregatedDiscoveryService");
  const perType = resourceTypes.flatMap((onlyType) =>
    onlyType.service === undefined ? [] : streamingMethods(onlyType.service).map((method) => ({ ...method, onlyType })),
  );
  return [...aggregated, ...perType];
}

function streamingMethods(service: string): DiscoveryMethod[] {
  const descriptor = registry.getService(service);
  if (descriptor === undefined) throw new Error(`Envoy's API has no service "${service}"`);
  return descriptor.methods.flatMap(({ name, methodKind, input }) => {
    const variant = variantOf[input.typeName];
    return methodKind === "bidi_streaming" && variant !== undefined ? [{ service, method: name, variant }] : [];
  });
}
