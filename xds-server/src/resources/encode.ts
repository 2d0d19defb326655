import { createHash } from "node:crypto";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { encode, messageSchema } from "xds-proto-ts";
import type { ResourceType } from "./resource-types.ts";
import type { Resource } from "./snapshot.ts";

/** The number of hexadecimal digits in a version. These 64 bits distinguish all versions of one resource. */
const versionLength = 16;

export interface EncodeOptions {
  /** The time after which a client drops the resource unless it is renewed, in milliseconds. Absent: the client keeps it. */
  readonly ttlMs?: number;
}

/** Encodes a message of a resource type. This happens once; all streams share the bytes. */
export function encodeResource(type: ResourceType, message: Message, options: EncodeOptions = {}): Resource {
  return encodedResource(type, message, encode(schemaOf(type), message), options);
}

/** The same for a message that is encoded already. `body` holds its bytes; the name is read from the message. */
export function encodedResource(
  type: ResourceType,
  message: Message,
  body: Uint8Array,
  { ttlMs }: EncodeOptions = {},
): Resource {
  // Another time to live makes another version. Otherwise a changed time to live would not be sent.
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

/** The resource name in a message of this type. */
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
