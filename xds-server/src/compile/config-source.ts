import { create } from "@bufbuild/protobuf";
import { ApiVersion, type ConfigSource, ConfigSourceSchema } from "xds-proto-ts/envoy/config/core/v3/config_source";

/** The source of a resource: the aggregated stream that also carries the resource with the reference. */
export const fromAds: ConfigSource = create(ConfigSourceSchema, {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads", value: {} },
});
