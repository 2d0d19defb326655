import { createHash } from "node:crypto";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { encode, messageSchema } from "xds-proto-ts";
import type { ResourceType } from "./resource-types.ts";
import type { Resource } from "./snapshot.ts";

/** Hexadecimal digits of a version: 64 bits tell all versions of one resource apart. */
const versionLength = 16;

/** Encodes a message of a resource type, once: everything later shares the bytes. */
export function encodeResource(type: ResourceType, message: Message): Resource {
  return encodedResource(type, message, encode(schemaOf(type), message));
}

/** The same for a message whose bytes were put together elsewhere; the name is read from the message. */
export function encodedResource(type: ResourceType, message: Message, body: Uint8Array): Resource {
  return {
    typeUrl: type.typeUrl,
    name: resourceName(type, message),
    version: createHash("sha256").update(body).digest("hex").slice(0, versionLength),
    body,
    rewarms: type.rewarms(message),
  };
}

/** The name that a message bears as a resource of its type. */
export function resourceName(type: ResourceType, message: Message): string {
  const field = schemaOf(type).fields.find(({ name }) => name === type.nameField);
  const name = field && (message as Message & Record<string, unknown>)[field.localName];
  if (typeof name !== "string") throw new Error(`A ${type.message} has no text field "${type.nameField}"`);
  return name;
}

/** The schema of a resource type's message. */
export function schemaOf(type: ResourceType): DescMessage {
  const schema = messageSchema(type.typeUrl);
  if (schema === undefined) throw new Error(`The API has no message ${type.message}`);
  return schema;
}
