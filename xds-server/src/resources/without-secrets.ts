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
 * Names that speak of a secret in Envoy's API where it is not marked as one, and in what filters are configured with.
 * Compared without underscores and case, so that "clientSecret" is "client_secret".
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

/** Any inside Any, as deep as it is opened; what is deeper is left out. */
const maxAnyDepth = 32;

/**
 * The message that the bytes say, without its secrets: values of fields that Envoy's API marks as sensitive, as in
 * Envoy's own configuration dump, and of those that are named like secrets. Names of files stay. Throws on bytes that
 * are no such message.
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

/** Takes the secrets out of a message that nobody else holds. */
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
    // What is read of a Struct or a wrapper is a copy.
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

/** A secret in a file is not here, and its name helps to find it. */
function redactSource({ specifier }: DataSource): void {
  if (specifier.case === "inlineString" || specifier.case === "inlineBytes")
    Object.assign(specifier, { case: "inlineString", value: redacted });
}

/** What cannot be read may hold anything, so it is left out. */
function redactAny(any: Any, { isSecret, anyDepth }: Place): void {
  const schema = anyDepth < maxAnyDepth ? messageSchema(any.typeUrl) : undefined;
  const content = schema && readable(schema, any.value);
  if (schema === undefined || content === undefined) {
    any.value = new Uint8Array();
    return;
  }
  redact(reflect(schema, content, false), { isSecret, anyDepth: anyDepth + 1 });
  // A filter's configuration travels as JSON in a text.
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

/** What stands for a secret; undefined where it is neither text nor bytes. */
function maskOf(scalar: ScalarType | undefined): string | Uint8Array | undefined {
  if (scalar === ScalarType.STRING) return redacted;
  return scalar === ScalarType.BYTES ? new TextEncoder().encode(redacted) : undefined;
}

const ofInterest = new WeakMap<DescMessage, readonly DescField[]>();

/** The fields of a message that are a secret or may hold one. */
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
