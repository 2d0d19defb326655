import { createHash } from "node:crypto";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { encode, messageSchema } from "xds-proto-ts";
import type { ResourceType } from "./resource-types.ts";
import type { Resource } from "./snapshot.ts";

/** Hexadecimal digits of a version: 64 bits tell all versions of one resource apart. */
const versionLength = 16;

export interface EncodeOptions {
  /** How long a client holds it without hearing of it again, in milliseconds. Absent: until it is removed. */
  readonly ttlMs?: number;
}

/** Encodes a message of a resource type, once: everything later shares the bytes. */
export function encodeResource(type: ResourceType, message: Message, options: EncodeOptions = {}): Resource {
  return encodedResource(type, message, encode(schemaOf(type), message), options);
}

/** The same for a message whose bytes were put together elsewhere; the name is read from the message. */
export function encodedResource(
  type: ResourceType,
  message: Message,
  body: Uint8Array,
  { ttlMs }: EncodeOptions = {},
): Resource {
  // A resource with another time to live is another version of it, or proxies would not hear of that.
  const hash = createHash("sha256").update(body);
  if (ttlMs !== undefined) hash.update(`ttl ${ttlMs}`);
  return {
    typeUrl: type.typeUrl,
    name: resourceName(type, message),
    version: hash.digest("hex").slice(0, versionLength),
    body,
    rewarms: type.rewarms(message),
    ...(type.hasAliases ? { aliases: type.aliases(message) } : {}),
    ...(ttlMs === undefined ? {} : { ttlMs }),
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
