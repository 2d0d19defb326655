import { fromBinary } from "@bufbuild/protobuf";
import { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import { StatusSchema } from "xds-proto-ts/google/rpc/status";
import { CallFault } from "../../grpc/status.ts";
import type { Node } from "../../model/node.ts";
import type { DeltaNames, SotwNames } from "../../protocol/stream.ts";
import type { Variant } from "../../protocol/type-stream.ts";
import { type ResourceType, resourceTypeOf, resourceTypes } from "../../resources/resource-types.ts";
import { nodeOf } from "../node-message.ts";
import { FieldReader, textOf } from "./fields.ts";

/** A request of either variant, decoded. */
export interface WireRequest {
  readonly type: ResourceType;
  /** Always present in a stream's first request. */
  readonly node?: Node;
  readonly responseNonce: string;
  /** The message of `error_detail`. Present in a NACK and only there, whatever versions and nonces say. */
  readonly errorDetail?: string;
  /** "unchanged": SotW repeats the names of the type's last accepted request; delta adds and removes none. */
  readonly names: SotwNames | DeltaNames | "unchanged";
}

export interface RequestReaderOptions {
  readonly variant: Variant;
  /** The only type that the stream's service serves; undefined on an aggregated stream. */
  readonly onlyType: ResourceType | undefined;
  /** The maximum number of names in a list. */
  readonly maxNames: number;
}

/** Field numbers of DiscoveryRequest and DeltaDiscoveryRequest in envoy/service/discovery/v3/discovery.proto. */
const sotw = { version: 1, node: 2, names: 3, typeUrl: 4, nonce: 5, error: 6 };
const delta = { node: 1, typeUrl: 2, added: 3, removed: 4, initialVersions: 5, nonce: 6, error: 7 };
const numbers = { sotw, delta };
const listNumbers = { sotw: [sotw.names], delta: [delta.added, delta.removed, delta.initialVersions] };

/** In bytes. A longer list is not remembered, so it is decoded again with each request. */
const maxRememberedBytes = 4 * 1024 * 1024;
const nothing = Buffer.alloc(0);

/**
 * Decodes the requests of one stream. Most requests are ACKs that repeat the names of the request before. The reader
 * therefore walks over the encoded fields, and decodes a list of names only when its bytes differ from the last list's.
 */
export class RequestReader {
  readonly #options: RequestReaderOptions;
  /** For each type, the encoded names of the last accepted request. Empty in delta, where every request has other names. */
  readonly #taken = new Map<ResourceType, Buffer>();
  #last: { readonly type: ResourceType; readonly names: Buffer | undefined } | undefined;

  constructor(options: RequestReaderOptions) {
    this.#options = options;
  }

  /** Throws a `CallFault` on bytes that are not a request, and on a type that is not served. */
  read(bytes: Buffer): WireRequest {
    this.#last = undefined;
    try {
      return this.#read(bytes);
    } catch (error) {
      if (error instanceof CallFault) throw error;
      throw new CallFault("INVALID_ARGUMENT", "The request is not a discovery request that can be decoded");
    }
  }

  /**
   * Call this after a request that was accepted: later requests are compared with its names. A stale request is not accepted,
   * so later requests must not be compared with it.
   */
  taken(): void {
    if (this.#last === undefined) return;
    const { type, names } = this.#last;
    if (names === undefined) this.#taken.delete(type);
    else this.#taken.set(type, names);
  }

  #read(bytes: Buffer): WireRequest {
    const { variant } = this.#options;
    const parts = partsOf(bytes, listNumbers[variant], this.#taken);
    const number = numbers[variant];
    const type = this.#typeOf(typeUrlIn(parts.last(number.typeUrl)));
    const node = parts.all(number.node);
    const error = parts.all(number.error);
    return {
      type,
      responseNonce: textOf(parts.last(number.nonce)),
      names: variant === "sotw" ? this.#sotwNames(type, parts) : this.#deltaNames(type, parts),
      ...(node === undefined ? {} : { node: readNode(node) }),
      ...(error === undefined ? {} : { errorDetail: fromBinary(StatusSchema, error).message }),
    };
  }

  #sotwNames(type: ResourceType, parts: Parts): SotwNames | "unchanged" {
    const names = parts.all(sotw.names) ?? nothing;
    if (this.#taken.get(type)?.equals(names)) return "unchanged";
    // A copy: the bytes are a part of a larger buffer, which a view would keep in memory.
    this.#last = { type, names: names.length > maxRememberedBytes ? undefined : Buffer.from(names) };
    return { list: this.#namesIn(names), resumes: parts.last(sotw.version).length > 0 };
  }

  #deltaNames(type: ResourceType, parts: Parts): DeltaNames | "unchanged" {
    const added = parts.all(delta.added);
    const removed = parts.all(delta.removed);
    if (this.#taken.has(type) && added === undefined && removed === undefined) return "unchanged";
    this.#last = { type, names: nothing };
    const initialVersions = new Map<string, string>();
    const entries = parts.all(delta.initialVersions) ?? nothing;
    this.#eachValue(entries, (start, end) => {
      const { last } = partsOf(entries.subarray(start, end));
      initialVersions.set(textOf(last(1)), textOf(last(2)));
    });
    return { added: this.#namesIn(added ?? nothing), removed: this.#namesIn(removed ?? nothing), initialVersions };
  }

  #namesIn(fields: Buffer): readonly string[] {
    const names: string[] = [];
    this.#eachValue(fields, (start, end) => names.push(textOf(fields, start, end)));
    return names;
  }

  #eachValue(fields: Buffer, take: (start: number, end: number) => void): void {
    const { maxNames } = this.#options;
    let count = 0;
    for (const field = new FieldReader(fields); field.next(); ) {
      count += 1;
      if (count > maxNames) throw tooManyNames(maxNames);
      take(field.start, field.end);
    }
  }

  #typeOf(typeUrl: string): ResourceType {
    const { onlyType } = this.#options;
    if (onlyType !== undefined) {
      if (typeUrl === "" || typeUrl === onlyType.typeUrl) return onlyType;
      throw new CallFault("INVALID_ARGUMENT", `This service serves ${onlyType.typeUrl} only`);
    }
    const type = resourceTypeOf(typeUrl);
    if (type?.deltaOnly && this.#options.variant === "sotw") {
      throw new CallFault("INVALID_ARGUMENT", `${type.shortName} exists in the delta variant only`);
    }
    if (type !== undefined) return type;
    const known = resourceTypes.map(({ shortName }) => shortName).join(", ");
    const shown = typeUrl.length > maxShownLength ? `${typeUrl.slice(0, maxShownLength)}...` : typeUrl;
    throw new CallFault("INVALID_ARGUMENT", `Type URL "${shown}" is not served here; served are ${known}`);
  }
}

export function tooManyNames(most: number): CallFault {
  return new CallFault("RESOURCE_EXHAUSTED", `The stream asks for over ${most} names (--limit maxSubscriptions)`);
}

/** The encoded fields of a message, by field number. */
interface Parts {
  /** The last value of a field, which is the valid one in protobuf; empty when the field is absent. */
  last(number: number): Buffer;
  /** All values of a field, concatenated. For a message that was sent in pieces this is the whole message; for a list it is whole fields. */
  all(number: number): Buffer | undefined;
}

/** How much of an unknown type URL an error repeats, in UTF-16 code units. */
const maxShownLength = 200;

/** No encoder makes this many pieces. Each piece costs a view of about 100 bytes. */
const maxPieces = 10_000;

/** Splits a message into its fields. The fields of a list follow each other; those that equal the last list are skipped. */
function partsOf(bytes: Buffer, lists: readonly number[] = [], known: ReadonlyMap<unknown, Buffer> = new Map()): Parts {
  const parts: Buffer[][] = [];
  const field = new FieldReader(bytes);
  let pieces = 0;
  let hasNext = field.next();
  while (hasNext) {
    const { number, tagStart, start } = field;
    if (!field.isLengthDelimited || number > delta.error) {
      hasNext = field.next();
      continue;
    }
    const isList = lists.includes(number);
    if (isList) skipKnown(field, bytes, known);
    let { end } = field;
    for (hasNext = field.next(); isList && hasNext && field.isLengthDelimited && field.number === number; ) {
      ({ end } = field);
      hasNext = field.next();
    }
    parts[number] ??= [];
    parts[number].push(bytes.subarray(isList ? tagStart : start, end));
    pieces += 1;
    if (pieces > maxPieces) throw new Error("A request is in more pieces than any encoder makes");
  }
  return {
    last: (number) => parts[number]?.at(-1) ?? nothing,
    all(number) {
      const [first, ...others] = parts[number] ?? [];
      return first === undefined || others.length === 0 ? first : Buffer.concat([first, ...others]);
    },
  };
}

/** Skips the names of the last accepted request when this request repeats them. */
function skipKnown(field: FieldReader, bytes: Buffer, known: ReadonlyMap<unknown, Buffer>): void {
  const start = field.tagStart;
  for (const names of known.values()) {
    const end = start + names.length;
    if (end <= field.end || end > bytes.length) continue;
    if (bytes.compare(names, 0, names.length, start, end) === 0) field.skipTo(end);
  }
}

const knownUrls = resourceTypes.map(({ typeUrl }) => ({ typeUrl, bytes: Buffer.from(typeUrl) }));

/** Compares bytes, so that no text is made for a type that is served. */
function typeUrlIn(bytes: Buffer): string {
  return knownUrls.find((known) => known.bytes.equals(bytes))?.typeUrl ?? textOf(bytes);
}

/** The fields of envoy.config.core.v3.Node that are kept. Envoy also lists hundreds of extensions, which are not. */
const nodeFields = { id: 1, cluster: 2, metadata: 3, locality: 4, agent: 6, version: 7, build: 8, features: 10 };
const kept = new Set(Object.values(nodeFields));

function readNode(bytes: Buffer): Node {
  const parts: Buffer[] = [];
  for (const field = new FieldReader(bytes); field.next(); ) {
    if (field.isLengthDelimited && kept.has(field.number)) parts.push(bytes.subarray(field.tagStart, field.end));
    if (parts.length > maxPieces) throw new Error("A node is in more pieces than any encoder makes");
  }
  return nodeOf(fromBinary(NodeSchema, Buffer.concat(parts)));
}
