import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { maxMessageLength, type writeQuery } from "../admin-api/writes.ts";
import { durationMs } from "../model/fields.ts";
import { requestError, shortened } from "./problem-json.ts";
import type { Call } from "./serve-operation.ts";

/** The options of a write, from its query and headers. */
export interface WriteRequest {
  readonly author: string;
  readonly message: string;
  readonly dryRun: boolean;
  /** How long to wait for the affected proxies, in milliseconds. Absent: do not wait. */
  readonly waitMs?: number;
  /** Aborted when the client disconnects. */
  readonly aborted: AbortSignal;
  /** Throws the rejection when a precondition of the request does not hold. Called right before the write. */
  readonly precondition: () => void;
}

const maxWaitMs = 60_000;
const maxAuthorLength = 128;

/** Reads the query parameters and headers that all writes share. */
export function writeRequest(
  { query, request, reply }: Call<z.output<typeof writeQuery>>,
  precondition: () => void,
): WriteRequest {
  const author = printableHeader(request, "x-chancery-author", maxAuthorLength);
  const message = query.message ?? printableHeader(request, "x-chancery-message", maxMessageLength);
  if (/\p{Cc}/u.test(message ?? "")) {
    throw requestError(400, "QUERY_INVALID", "Cannot read the message: it must be one printable line", {
      path: "query.message",
    });
  }
  const aborted = new AbortController();
  reply.raw.once("close", () => aborted.abort());
  return {
    author: author ?? "admin",
    message: message ?? "",
    dryRun: query.dryRun === "true",
    aborted: aborted.signal,
    precondition,
    ...(query.wait === undefined ? {} : { waitMs: Math.min(durationMs(query.wait), maxWaitMs) }),
  };
}

function printableHeader(request: FastifyRequest, name: string, maxLength: number): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length <= maxLength && /^[\x20-\x7e]+$/.test(value)) return value;
  throw requestError(
    400,
    "HEADER_INVALID",
    `Cannot read the header ${name}: it must be 1 to ${maxLength} printable characters`,
    {
      path: `headers.${name}`,
      found: shortened(String(value)),
    },
  );
}
