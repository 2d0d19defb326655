import { type ByteString, byteString } from "./bytes.ts";
import type { LocalResponse } from "./calls/caller.ts";
import { HeaderMap } from "./header-map.ts";

/** A local response as it is sent to the client. */
export interface EncodedReply {
  readonly headers: HeaderMap;
  /** Empty for a gRPC request and for a HEAD request. */
  readonly body: Buffer;
}

/** https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html */
const grpcStatusOf: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const unknown = 2;

/**
 * Adds what Envoy adds: length and type of a body. The answer to a gRPC request gets gRPC's status and message instead.
 */
export function encodeReply(response: LocalResponse, request: HeaderMap | undefined): EncodedReply {
  const headers = new HeaderMap("response", [[":status", String(response.code)]]);
  for (const [name, value] of response.headers) headers.add(name, value);
  const isHead = request?.get(":method") === "HEAD";
  if (isGrpc(request)) {
    setInPlace(headers, ":status", "200");
    setInPlace(headers, "content-type", "application/grpc");
    if ((headers.get("grpc-status") ?? "") === "") {
      const { code, grpcStatus } = response;
      setInPlace(headers, "grpc-status", String(grpcStatus <= 16 ? grpcStatus : (grpcStatusOf[code] ?? unknown)));
    }
    if (response.body.length > 0 && !isHead) setInPlace(headers, "grpc-message", percentEncoded(response.body));
    headers.remove("content-length");
    return { headers, body: Buffer.alloc(0) };
  }
  if (response.body.length === 0) {
    headers.remove("content-length");
    headers.remove("content-type");
  } else {
    setInPlace(headers, "content-length", String(response.body.length));
    if (headers.get("content-type") === undefined) headers.add("content-type", "text/plain");
  }
  return { headers, body: isHead ? Buffer.alloc(0) : response.body };
}

/** Replaces white space, which would split the details in an access log. */
export function detailsOf(details: ByteString): string {
  return details.replaceAll(/\s/g, "_");
}

function isGrpc(request: HeaderMap | undefined): boolean {
  const type = request?.get("content-type") ?? "";
  return type === "application/grpc" || type.startsWith("application/grpc+");
}

function percentEncoded(body: Buffer): ByteString {
  const encoded = [...body].map((byte) =>
    byte < 0x20 || byte >= 0x7f || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
      : String.fromCharCode(byte),
  );
  return byteString(encoded.join(""));
}

/** Sets a header and keeps its position, as Envoy does for its own headers. */
function setInPlace(headers: HeaderMap, name: ByteString, value: ByteString): void {
  if (headers.get(name) === undefined) headers.add(name, value);
  else headers.replaceAll(headers.pairs.map(([own, before]) => [own, own === name ? value : before]));
}
