/** gRPC's status codes: https://grpc.io/docs/guides/status-codes/ */
export const statusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusCode = keyof typeof statusCodes;

/** The status that a call ends with. */
export interface Status {
  readonly code: StatusCode;
  /** Sent to the client, so it must not contain secrets. May be empty. */
  readonly message: string;
}

/** Ends the call that it is thrown in. Its code and message are sent to the client. */
export class CallFault extends Error {
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string) {
    super(message);
    this.code = code;
  }
}

const maxMessageLength = 1024;

/** A status as the trailers of a response: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses */
export function statusTrailers({ code, message }: Status): Record<string, string> {
  const trailers = { "grpc-status": String(statusCodes[code]) };
  return message === ""
    ? trailers
    : { ...trailers, "grpc-message": percentEncoded(message.slice(0, maxMessageLength)) };
}

/** Encodes "%" and all characters but printable ASCII. */
function percentEncoded(text: string): string {
  return Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/[^\x20-\x7e]|%/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
