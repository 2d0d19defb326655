import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { type Bytes, byteString, bytesOf } from "./bytes.ts";
import { decodePairs, encodePairs } from "./pairs.ts";

/** One operation of the probe in a callback. The probe records its outcome. */
export type Operation =
  | readonly ["answer", number]
  | readonly ["getHeader", map: number, name: string]
  | readonly ["getPairs" | "getHeadersSize", map: number]
  | readonly ["addHeader" | "replaceHeader", map: number, name: string, value: Bytes]
  | readonly ["removeHeader", map: number, name: string]
  | readonly ["setPairs", map: number, pairs: Pairs]
  | readonly ["getBuffer", type: number, start: number, length: number]
  | readonly ["getBufferStatus", type: number]
  | readonly ["setBuffer", type: number, start: number, length: number, data: Bytes]
  | readonly ["continueStream" | "closeStream", stream: number]
  | readonly ["localResponse", code: number, details: string, body: Bytes, headers: Pairs, grpcStatus: number]
  | readonly ["getProperty", path: string]
  | readonly ["setProperty", path: string, value: Bytes]
  | readonly ["defineMetric", type: number, name: string]
  | readonly ["incrementMetric" | "recordMetric", by: number]
  | readonly ["getMetric" | "dequeue" | "getStatus" | "getLogLevel"]
  | readonly ["getShared", key: string]
  | readonly ["setShared", key: string, value: Bytes, cas: "any" | "kept" | "wrong"]
  | readonly ["registerQueue", name: string]
  | readonly ["resolveQueue", vmId: string, name: string]
  | readonly ["enqueue", data: Bytes]
  | readonly ["httpCall", cluster: string, headers: Pairs, body: Bytes, trailers: Pairs, timeoutMs: number]
  | readonly ["foreign", name: string, argument: Bytes]
  | readonly ["grpcCall", cluster: string, service: string, method: string, message: Bytes, timeoutMs: number];

export type Pairs = readonly (readonly [name: string, value: Bytes])[];

/** The callbacks that a script can have operations for. */
export const callbacks = [
  "requestHeaders",
  "requestBody",
  "requestTrailers",
  "responseHeaders",
  "responseBody",
  "responseTrailers",
  "log",
  "done",
  "delete",
  "httpCallResponse",
  "grpcReceive",
  "grpcClose",
] as const;

export type Callback = (typeof callbacks)[number];

/**
 * The probe's operations for one stream: for each callback, the operations of the first call, the second, and so on.
 */
export type Script = Partial<Readonly<Record<Callback, readonly (readonly Operation[])[]>>>;

/** The index of each name is its number in probe/assembly/operations.ts. */
const operations = [
  ...["answer", "getHeader", "getPairs", "getHeadersSize", "addHeader", "replaceHeader", "removeHeader", "setPairs"],
  ...["getBuffer", "getBufferStatus", "setBuffer", "continueStream", "closeStream", "localResponse", "getProperty"],
  ...["setProperty", "defineMetric", "incrementMetric", "recordMetric", "getMetric", "getShared", "setShared"],
  ...[
    "registerQueue",
    "resolveQueue",
    "enqueue",
    "dequeue",
    "httpCall",
    "foreign",
    "getStatus",
    "getLogLevel",
    "grpcCall",
  ],
];
const casOf = { any: 0, kept: 1, wrong: 2 };

/** Encodes a script as the value of the header x-script. The record repeats its id. */
export function encodeScript(id: number, script: Script): string {
  const sections = callbacks.flatMap((callback, index) =>
    (script[callback] ?? []).map((parts, occurrence) => {
      const encoded = Buffer.concat(parts.map(encodeOperation));
      return Buffer.concat([Buffer.from([index + 1, occurrence]), sized(encoded)]);
    }),
  );
  return Buffer.concat([word(id), ...sections]).toString("hex");
}

function encodeOperation(operation: Operation): Buffer {
  const [name, ...values] = operation;
  const encoded = values.map((value, index) => {
    if (typeof value === "number") return word(value);
    if (name === "setShared" && index === 2) return word(casOf[value as keyof typeof casOf]);
    if (typeof value === "string" || value instanceof Uint8Array) return sized(bytesOf(value));
    return sized(encodePairs(value.map(([name, text]) => [byteString(name), byteString(text)])));
  });
  return Buffer.concat([Buffer.from([operations.indexOf(name)]), ...encoded]);
}

/** The values that one callback was called with, and the outcome of each of its operations as text. */
export interface Recorded {
  readonly callback: Callback | "unknown";
  readonly values: readonly [number, number];
  /** A status, then the result: "0", "0 word 3", "0 bytes 0a0b", "1 untouched". Status 0 is Ok. */
  readonly outcomes: readonly string[];
}

/** Decodes the answer to a request with the header x-report: the records by the id of their script. */
export function decodeReport(body: Uint8Array): ReadonlyMap<number, readonly Recorded[]> {
  const reader = new Reader(bytesOf(body));
  const records = new Map<number, readonly Recorded[]>();
  while (reader.left > 0) records.set(reader.word(), decodeRecord(new Reader(reader.block())));
  return records;
}

function decodeRecord(reader: Reader): readonly Recorded[] {
  const recorded: Recorded[] = [];
  while (reader.left > 0) {
    const callback = callbacks[reader.byte() - 1] ?? "unknown";
    const values = [reader.word(), reader.word()] as const;
    const outcomes: string[] = [];
    for (let kind = reader.byte(); kind !== 0; kind = reader.byte()) outcomes.push(outcome(kind, reader));
    recorded.push({ callback, values, outcomes });
  }
  return recorded;
}

const untouched = 0xaaaaaaaa;

function outcome(kind: number, reader: Reader): string {
  const status = String(reader.byte());
  if (kind === 1) return status;
  const first = reader.word();
  if (kind === 2) return first === untouched ? `${status} untouched` : `${status} word ${first}`;
  if (first === 1) return `${status} bytes ${reader.block().toString("hex")}`;
  const size = reader.word();
  return first === untouched ? `${status} untouched` : `${status} at ${first} size ${size}`;
}

/** Decodes the pairs in an outcome of getPairs. */
export function pairsIn(outcome: string): readonly (readonly [name: string, value: string])[] {
  const hex = /^0 bytes (.*)$/.exec(outcome)?.[1];
  return hex === undefined ? [] : decodePairs(Buffer.from(hex, "hex"));
}

/** Compiles the probe. */
export async function buildProbe(): Promise<Uint8Array> {
  const messages = asc.createMemoryStream();
  let wasm: Uint8Array | undefined;
  const options = ["--optimizeLevel", "1", "--runtime", "incremental", "--exportStart", "_initialize"];
  const { error } = await asc.main(
    ["index.ts", ...options, "--use", "abort=index/abort", "--baseDir", probeSource, "--outFile", "probe.wasm"],
    {
      stderr: messages,
      writeFile: (_name, contents) => {
        if (contents instanceof Uint8Array) wasm = contents;
      },
    },
  );
  if (error !== null || wasm === undefined) throw new Error(`the probe does not compile: ${messages.toString()}`);
  return wasm;
}

const probeSource = fileURLToPath(new URL("../probe/assembly/", import.meta.url));

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  word(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  block(): Buffer {
    const size = this.word();
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([word(bytes.length), bytes]);
}
