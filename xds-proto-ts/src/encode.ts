import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { inKeyOrder } from "./key-order.ts";

/**
 * The bytes of a message, always the same ones for the same content: the library writes the entries of a map in the order
 * in which they were added, this writes them in the order of their keys. Versions that are hashes of the bytes need that.
 */
export function encode<S extends DescMessage>(schema: S, message: MessageShape<S>): Uint8Array<ArrayBuffer> {
  return toBinary(schema, inKeyOrder(schema, message));
}

/** An Any with those bytes, so that what holds it encodes to the same bytes too. */
export function packAny<S extends DescMessage>(schema: S, message: MessageShape<S>): Any {
  return create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value: encode(schema, message) });
}

/** The message that the bytes say; throws when they say none. */
export function decode<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  return fromBinary(schema, bytes);
}
