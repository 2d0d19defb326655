import { didYouMean } from "./nearest.ts";

/** Substitutions of Envoy's format strings that stand alone: `%ROUTE_NAME%`. */
const plainCommands: ReadonlySet<string> = new Set([
  "BYTES_RECEIVED",
  "BYTES_SENT",
  "CONNECTION_ID",
  "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
  "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_ADDRESS",
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_PORT",
  "DOWNSTREAM_LOCAL_URI_SAN",
  "DOWNSTREAM_PEER_DNS_SAN",
  "DOWNSTREAM_PEER_FINGERPRINT_256",
  "DOWNSTREAM_PEER_ISSUER",
  "DOWNSTREAM_PEER_SERIAL",
  "DOWNSTREAM_PEER_SUBJECT",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_REMOTE_ADDRESS",
  "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_REMOTE_PORT",
  "DOWNSTREAM_TLS_CIPHER",
  "DOWNSTREAM_TLS_VERSION",
  "HOSTNAME",
  "PROTOCOL",
  "REQUESTED_SERVER_NAME",
  "RESPONSE_CODE",
  "RESPONSE_CODE_DETAILS",
  "RESPONSE_FLAGS",
  "ROUTE_NAME",
  "START_TIME",
  "STREAM_ID",
  "TRACE_ID",
  "UPSTREAM_CLUSTER",
  "UPSTREAM_HOST",
  "UPSTREAM_LOCAL_ADDRESS",
  "UPSTREAM_PROTOCOL",
  "UPSTREAM_REMOTE_ADDRESS",
  "UPSTREAM_REMOTE_PORT",
  "UPSTREAM_REQUEST_ATTEMPT_COUNT",
  "UPSTREAM_TLS_VERSION",
  "VIRTUAL_CLUSTER_NAME",
]);

const headerParameter = /^:?[A-Za-z0-9_-]+(?:\?:?[A-Za-z0-9_-]+)?$/;
const pathParameter = /^[^()%\s]+$/;

/** Substitutions that name what they read: `%REQ(x-tenant)%`. The expression says which parameters are good. */
const readingCommands: ReadonlyMap<string, RegExp> = new Map([
  ["REQ", headerParameter],
  ["RESP", headerParameter],
  ["QUERY_PARAM", pathParameter],
  ["DYNAMIC_METADATA", pathParameter],
  ["CLUSTER_METADATA", pathParameter],
  ["UPSTREAM_METADATA", pathParameter],
]);

const piece = /%%|%([A-Z0-9_]+)(?:\(([^()]*)\))?(:[0-9]{1,5})?%|%/g;

/**
 * Why Envoy would reject a text with substitutions, or undefined when it takes it: one faulty header value makes it
 * reject the whole route configuration.
 */
export function formatFault(text: string): string | undefined {
  for (const match of text.matchAll(piece)) {
    const [whole, command, parameter, length] = match;
    if (whole === "%%") continue;
    if (command === undefined)
      return `a percent sign at character ${match.index + 1} begins no substitution: write "%%" for the sign itself`;
    const pattern = readingCommands.get(command);
    if (pattern !== undefined) {
      if (parameter === undefined || !pattern.test(parameter))
        return `"${command}" needs a parameter, such as %${command}(x-tenant)%`;
    } else if (!plainCommands.has(command)) {
      const hint = didYouMean(command, [...plainCommands, ...readingCommands.keys()]);
      return `"${command}" is no substitution known here${hint === undefined ? "" : `: ${hint}`}`;
    } else if (parameter !== undefined || length !== undefined) {
      return `"${command}" takes no parameter and no length: write %${command}%`;
    }
  }
  return undefined;
}
