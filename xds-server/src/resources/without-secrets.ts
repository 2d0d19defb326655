import {
  type DescField,
  type DescMessage,
  fromBinary,
  getOption,
  isMessage,
  type Message,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, StringValueSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { encode, messageSchema } from "xds-proto-ts";
import { type DataSource, DataSourceSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import { sensitive } from "xds-proto-ts/udpa/annotations/sensitive";

const redacted = "[redacted]";

/**
 * Names of secrets that Envoy's API does not mark as sensitive, and names of secrets in filter configurations. They are
 * compared without underscores and case, so that "clientSecret" equals "client_secret".
 */
const secretNames = new Set(
  [
    "private_key",
    "password",
    "token",
    "token_secret",
    "secret",
    "client_secret",
    "hmac_secret",
    "access_key",
    "secret_access_key",
    "session_token",
    "session_ticket_keys",
  ].map(folded),
);

/** How many levels of an `Any` inside an `Any` are read. The content of deeper ones is left out. */
const maxAnyDepth = 32;

/**
 * Decodes a message and redacts its secrets: the fields that Envoy's API marks as sensitive, as Envoy's own configuration
 * dump does, and the fields that are named like secrets. File names stay. Throws on bytes that are no such message.
 */
export function withoutSecrets<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  const message = fromBinary(schema, bytes);
  redact(reflect(schema, message, false), { isSecret: false, anyDepth: 0 });
  return message;
}

interface Place {
  readonly isSecret: boolean;
  readonly anyDepth: number;
}

const inSecret = (at: Place): Place => ({ ...at, isSecret: true });

/** Redacts the secrets of a message in place. The caller must be its only owner. */
function redact(message: ReflectMessage, at: Place): void {
  const { message: plain, desc } = message;
  if (isMessage(plain, AnySchema)) redactAny(plain, at);
  else if (at.isSecret && isMessage(plain, DataSourceSchema)) redactSource(plain);
  else if (at.isSecret && isMessage(plain, ValueSchema)) plain.kind = { case: "stringValue", value: redacted };
  else {
    for (const field of at.isSecret ? desc.fields : fieldsOfInterest(desc)) {
      if (message.isSet(field)) redactField(message, field, at.isSecret || !isSecretField(field) ? at : inSecret(at));
    }
  }
}

function redactField(message: ReflectMessage, field: DescField, at: Place): void {
  const value = message.get(field);
  if (field.fieldKind === "map") redactMap(value as ReflectMap, at);
  else if (field.fieldKind === "list" && field.listKind === "message") redactList(value as ReflectList, at);
  else if (field.fieldKind === "message") {
    redact(value as ReflectMessage, at);
    // `get` returns a copy of a Struct or a wrapper, so it must be set again.
    message.set(field, value);
  } else if (at.isSecret) mask(message, field, value);
}

function mask(message: ReflectMessage, field: DescField, value: unknown): void {
  const masked = maskOf(field.scalar);
  if (masked === undefined) message.clear(field);
  else if (field.fieldKind !== "list") message.set(field, masked);
  else for (const [index] of (value as ReflectList).entries()) (value as ReflectList).set(index, masked);
}

function redactList(list: ReflectList, at: Place): void {
  for (const [index, item] of [...list.entries()]) {
    redact(item as ReflectMessage, at);
    list.set(index, item);
  }
}

function redactMap(map: ReflectMap, at: Place): void {
  const field = map.field();
  for (const [key, item] of [...map.entries()]) {
    const isSecret = at.isSecret || isSecretName(String(key));
    if (field.mapKind === "message") {
      redact(item as ReflectMessage, { ...at, isSecret });
      map.set(key, item);
    } else if (isSecret) {
      const masked = maskOf(field.scalar);
      if (masked === undefined) map.delete(key);
      else map.set(key, masked);
    }
  }
}

/** Redacts inline secrets. A file name or the name of an environment variable stays: it is no secret. */
function redactSource({ specifier }: DataSource): void {
  if (specifier.case === "inlineString" || specifier.case === "inlineBytes")
    Object.assign(specifier, { case: "inlineString", value: redacted });
}

/** Redacts the content of an `Any`. Content that cannot be decoded may hold a secret, so it is left out. */
function redactAny(any: Any, { isSecret, anyDepth }: Place): void {
  const schema = anyDepth < maxAnyDepth ? messageSchema(any.typeUrl) : undefined;
  const content = schema && readable(schema, any.value);
  if (schema === undefined || content === undefined) {
    any.value = new Uint8Array();
    return;
  }
  redact(reflect(schema, content, false), { isSecret, anyDepth: anyDepth + 1 });
  // A Wasm filter's configuration is JSON in a StringValue.
  if (isMessage(content, StringValueSchema)) content.value = withoutSecretsInJson(content.value);
  any.value = encode(schema, content);
}

function readable(schema: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}

function withoutSecretsInJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text, (key, value) => (isSecretName(key) ? redacted : value)));
  } catch {
    return text;
  }
}

/** The replacement of a secret value. Undefined when the value is neither text nor bytes: then the field is cleared. */
function maskOf(scalar: ScalarType | undefined): string | Uint8Array | undefined {
  if (scalar === ScalarType.STRING) return redacted;
  return scalar === ScalarType.BYTES ? new TextEncoder().encode(redacted) : undefined;
}

const ofInterest = new WeakMap<DescMessage, readonly DescField[]>();

/** The fields of a message that are secret or may contain a secret. */
function fieldsOfInterest(desc: DescMessage): readonly DescField[] {
  const known = ofInterest.get(desc);
  if (known !== undefined) return known;
  const mayHold = (field: DescField) =>
    field.message !== undefined || field.fieldKind === "map" || isSecretField(field);
  const fields = desc.fields.filter(mayHold);
  ofInterest.set(desc, fields);
  return fields;
}

const secretFields = new WeakMap<DescField, boolean>();

function isSecretField(field: DescField): boolean {
  const known = secretFields.get(field);
  if (known !== undefined) return known;
  const isInPlace = field.message === undefined || field.message.typeName === DataSourceSchema.typeName;
  const isSecret = getOption(field, sensitive) || (isInPlace && isSecretName(field.name));
  secretFields.set(field, isSecret);
  return isSecret;
}

function isSecretName(name: string): boolean {
  return secretNames.has(folded(name));
}

function folded(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
