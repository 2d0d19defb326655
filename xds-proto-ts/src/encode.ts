import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { inKeyOrder } from "./key-order.ts";

/**
 * Encodes a message. The same content always gives the same bytes, so that their hash can be a version. The library
 * writes the entries of a map in the order of insertion; this writes them in the order of their keys.
 */
export function encode<S extends DescMessage>(schema: S, message: MessageShape<S>): Uint8Array<ArrayBuffer> {
  return toBinary(schema, inKeyOrder(schema, message));
}

/** Packs a message into an Any with the bytes of encode(). So a message that contains the Any is deterministic too. */
export function packAny<S extends DescMessage>(schema: S, message: MessageShape<S>): Any {
  return create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value: encode(schema, message) });
}

/** Decodes a message. Throws when the bytes are not valid. */
export function decode<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  return fromBinary(schema, bytes);
}
