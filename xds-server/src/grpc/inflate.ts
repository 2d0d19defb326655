import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { CallFault } from "./status.ts";

const inflated = promisify(gunzip);

/** Decompresses a message. Rejects with a `CallFault` when it is not gzip or too large when decompressed. */
export type Inflate = (bytes: Buffer) => Promise<Buffer>;

/** Decompresses one message at a time, so that many zip bombs at once need no more memory than one. */
export function createInflate(maxMessageBytes: number): Inflate {
  let last: Promise<unknown> = Promise.resolve();
  const inflate = async (bytes: Buffer): Promise<Buffer> => {
    try {
      return await inflated(bytes, { maxOutputLength: maxMessageBytes });
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
        ? new CallFault("RESOURCE_EXHAUSTED", `A message has over ${maxMessageBytes} bytes when decompressed`)
        : new CallFault("INVALID_ARGUMENT", `A message cannot be decompressed: ${(error as Error).message}`);
    }
  };
  return (bytes) => {
    const result = last.then(() => inflate(bytes));
    last = result.catch(() => {});
    return result;
  };
}
