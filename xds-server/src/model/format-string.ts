import { didYouMean } from "./nearest.ts";

/** The substitutions of Envoy's format strings that have no parameter: `%ROUTE_NAME%`. */
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

/** The substitutions with a parameter, `%REQ(x-tenant)%`, and the pattern of a valid parameter. */
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
 * Why Envoy would reject a text with substitutions, or undefined when Envoy accepts it. Envoy rejects the whole route
 * configuration because of one faulty header value.
 */
export function formatFault(text: string): string | undefined {
  for (const match of text.matchAll(piece)) {
    const [whole, command, parameter, length] = match;
    if (whole === "%%") continue;
    if (command === undefined)
      return `the percent sign at character ${match.index + 1} does not begin a substitution: write "%%" for a literal percent sign`;
    const pattern = readingCommands.get(command);
    if (pattern !== undefined) {
      if (parameter === undefined || !pattern.test(parameter))
        return `"${command}" needs a parameter, such as %${command}(x-tenant)%`;
    } else if (!plainCommands.has(command)) {
      const hint = didYouMean(command, [...plainCommands, ...readingCommands.keys()]);
      return `"${command}" is not a known substitution${hint === undefined ? "" : `: ${hint}`}`;
    } else if (parameter !== undefined || length !== undefined) {
      return `"${command}" has no parameter and no length: write %${command}%`;
    }
  }
  return undefined;
}
