import { fromBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import type { Variant } from "../conformance/resources.ts";
import type { LastResponse } from "./attacks.ts";

const headBytes = 5;

/** Reads nonce and version of the server's last discovery response. */
export class ResponseReader {
  readonly #variant: Variant;
  last: LastResponse = { nonce: "", version: "" };
  #unread: Buffer[] = [];
  #length = 0;
  /** The end of the next message in the unread bytes, or of its head while the length is unknown. */
  #end = headBytes;

  constructor(variant: Variant) {
    this.#variant = variant;
  }

  take(bytes: Buffer): void {
    this.#unread.push(bytes);
    this.#length += bytes.length;
    while (this.#length >= this.#end) {
      const all = Buffer.concat(this.#unread);
      const end = headBytes + all.readUInt32BE(1);
      const isWhole = end <= all.length;
      if (isWhole) this.#read(all.subarray(headBytes, end));
      const rest = isWhole ? all.subarray(end) : all;
      this.#unread = [rest];
      this.#length = rest.length;
      this.#end = isWhole ? headBytes : end;
    }
  }

  #read(message: Buffer): void {
    try {
      if (this.#variant === "sotw") {
        const { nonce, versionInfo: version } = fromBinary(DiscoveryResponseSchema, message);
        this.last = { nonce, version };
      } else {
        const { nonce, systemVersionInfo: version } = fromBinary(DeltaDiscoveryResponseSchema, message);
        this.last = { nonce, version };
      }
    } catch {
      // It is a response of another service.
    }
  }
}
