import { create } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import { type AccessLog, AccessLogSchema } from "xds-proto-ts/envoy/config/accesslog/v3/accesslog";
import { ConfigSchema as StatsSchema } from "xds-proto-ts/envoy/extensions/access_loggers/stats/v3/stats";
import { variantMetadata } from "./canary-routes.ts";

/** The prefix of the stats by which `chancery filter push --canary` judges a canary. */
const prefix = "filter_flight";

/**
 * Logs for a listener while one of its filters has a canary. They count its requests by variant and status, and add up
 * their durations. Access logs do this, because only they see every request, also those that fail in a crashed filter.
 */
export function canaryLogs(listener: string): readonly AccessLog[] {
  const { filter, key } = variantMetadata;
  const tag = (name: string, valueFormat: string) => ({ name, valueFormat });
  const variant = tag("variant", `%METADATA(ROUTE:${filter}:${key})%`);
  const where = tag("listener", listener.replaceAll("%", "%%"));
  const stats = create(StatsSchema, {
    statPrefix: prefix,
    counters: [
      { stat: { name: "requests", tags: [where, variant, tag("status", "%RESPONSE_CODE%")] }, valueFixed: 1n },
      {
        stat: { name: "duration_us", tags: [where, variant] },
        valueFormat: "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
      },
    ],
  });
  return [
    create(AccessLogSchema, {
      name: "envoy.access_loggers.stats",
      configType: { case: "typedConfig", value: packAny(StatsSchema, stats) },
    }),
  ];
}
