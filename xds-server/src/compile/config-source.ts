import { create } from "@bufbuild/protobuf";
import { ApiVersion, type ConfigSource, ConfigSourceSchema } from "xds-proto-ts/envoy/config/core/v3/config_source";

/** Says that a resource comes on the aggregated stream that brought what refers to it. */
export const fromAds: ConfigSource = create(ConfigSourceSchema, {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads", value: {} },
});
