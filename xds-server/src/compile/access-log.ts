import { create } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import { type AccessLog, AccessLogSchema } from "xds-proto-ts/envoy/config/accesslog/v3/accesslog";
import { StdoutAccessLogSchema } from "xds-proto-ts/envoy/extensions/access_loggers/stream/v3/stream";

/** An access log that writes a line of JSON to the proxy's standard output for each request. */
export const stdoutAccessLog: AccessLog = create(AccessLogSchema, {
  name: "envoy.access_loggers.stdout",
  configType: {
    case: "typedConfig",
    value: packAny(
      StdoutAccessLogSchema,
      create(StdoutAccessLogSchema, {
        accessLogFormat: {
          case: "logFormat",
          value: {
            format: {
              case: "jsonFormat",
              value: {
                time: "%START_TIME%",
                method: "%REQ(:METHOD)%",
                host: "%REQ(:AUTHORITY)%",
                path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
                protocol: "%PROTOCOL%",
                status: "%RESPONSE_CODE%",
                details: "%RESPONSE_CODE_DETAILS%",
                flags: "%RESPONSE_FLAGS%",
                bytes_received: "%BYTES_RECEIVED%",
                bytes_sent: "%BYTES_SENT%",
                duration_ms: "%DURATION%",
                request_id: "%REQ(X-REQUEST-ID)%",
                client: "%DOWNSTREAM_REMOTE_ADDRESS%",
                route: "%ROUTE_NAME%",
                cluster: "%UPSTREAM_CLUSTER%",
                upstream: "%UPSTREAM_HOST%",
              },
            },
          },
        },
      }),
    ),
  },
});
