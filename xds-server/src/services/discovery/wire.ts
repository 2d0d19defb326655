import { toBinary } from "@bufbuild/protobuf";
import { DurationSchema, durationFromMs } from "@bufbuild/protobuf/wkt";
import { type SharedMessage, sharedMessage } from "../../grpc/call.ts";
import type { Response } from "../../protocol/stream.ts";
import type { Resource } from "../../resources/snapshot.ts";

/**
 * How a response carries resources: plain in SotW, inside a `Resource` in delta. A client that knows times to live receives
 * them. In SotW this needs a `Resource` as a wrapper, because a response has no other field for them.
 */
export type Form = "sotw" | "sotw with ttl" | "delta" | "delta with ttl";

const isDelta = (form: Form): boolean => form === "delta" || form === "delta with ttl";
const saysTtl = (form: Form): boolean => form === "sotw with ttl" || form === "delta with ttl";

/** Encodes responses. Each response is encoded once, however many clients it is sent to. */
export type ResponseWriter = (form: Form, response: Response) => SharedMessage;

const byForm = <K extends object, V>() => ({
  sotw: new WeakMap<K, V>(),
  "sotw with ttl": new WeakMap<K, V>(),
  delta: new WeakMap<K, V>(),
  "delta with ttl": new WeakMap<K, V>(),
});

/** `identifier`: the `control_plane.identifier` of every response. */
export function responseWriter(identifier: string): ResponseWriter {
  const written = byForm<Response, SharedMessage>();
  const controlPlane = text(1, identifier);
  return (form, response) => {
    const known = written[form].get(response);
    if (known !== undefined) return known;
    const message = sharedMessage(`${response.type.shortName} response`, encoded(form, response, controlPlane));
    written[form].set(response, message);
    return message;
  };
}

/**
 * Builds a response from the encoded resources, which all responses share. The fields and their numbers are those of
 * envoy/service/discovery/v3/discovery.proto.
 */
function encoded(
  form: Form,
  { type, nonce, version: setVersion, update }: Response,
  controlPlane: Buffer,
): readonly Uint8Array[] {
  const version = text(1, setVersion);
  const rest = [text(4, type.typeUrl), text(5, nonce)];
  const resources = [...update.changed, ...update.kept].flatMap((resource) => framed(resource, form));
  const alive = update.alive.map((resource) => heartbeatOf(resource, form));
  if (!isDelta(form)) return [version, ...resources, ...alive, ...rest, bytes(6, controlPlane)];
  // A name without a resource, with itself as an alias: a client that waits for the name stops waiting (VHDS).
  const vacant = update.vacant.map((name) => bytes(2, Buffer.concat([text(3, name), text(4, name)])));
  const removed = update.removed.map((name) => text(6, name));
  return [version, ...resources, ...alive, ...vacant, ...rest, ...removed, bytes(7, controlPlane)];
}

/** The bytes before a resource in a response. Made once for each resource, and few compared with it. */
const heads = byForm<Resource, Buffer>();

/** Field 2 of a response: the bytes before the resource, and the bytes of the resource. */
function framed(resource: Resource, form: Form): readonly [head: Buffer, body: Uint8Array] {
  const { body } = resource;
  const known = heads[form].get(resource);
  if (known !== undefined) return [known, body];
  const any = Buffer.concat([text(1, resource.typeUrl), lengthHead(2, body.length)]);
  const head = headed(2, inForm(resource, form, any), body.length);
  heads[form].set(resource, head);
  return [head, body];
}

/** `any`: the start of an Any; the resource's bytes complete it. */
function inForm(resource: Resource, form: Form, any: Buffer): Buffer {
  const { length } = resource.body;
  if (!isDelta(form) && (!saysTtl(form) || resource.ttlMs === undefined)) return any;
  const wrapper = Buffer.concat([about(resource, form), headed(2, any, length)]);
  return isDelta(form) ? wrapper : wrapped(wrapper, length);
}

/** A heartbeat: a `Resource` without content, which says only that the client keeps the resource. */
function heartbeatOf(resource: Resource, form: Form): Buffer {
  const said = about(resource, form);
  return bytes(2, isDelta(form) ? said : wrapped(said, 0));
}

/** All fields of a `Resource` except the resource itself. */
function about({ name, version, aliases = [], ttlMs }: Resource, form: Form): Buffer {
  const ttl =
    ttlMs !== undefined && saysTtl(form) ? bytes(6, toBinary(DurationSchema, durationFromMs(ttlMs))) : nothing;
  return Buffer.concat([text(1, version), text(3, name), ...aliases.map((alias) => text(4, alias)), ttl]);
}

const wrapped = (wrapper: Buffer, toCome: number): Buffer =>
  Buffer.concat([text(1, "type.googleapis.com/envoy.service.discovery.v3.Resource"), headed(2, wrapper, toCome)]);

/** The start of a field: its tag, its length, and `value`. `toCome` more bytes of the value follow. */
function headed(field: number, value: Uint8Array, toCome: number): Buffer {
  return Buffer.concat([lengthHead(field, value.length + toCome), value]);
}

/** The tag and length of a length-delimited field. An empty field is left out, as proto3 demands. */
function lengthHead(field: number, length: number): Buffer {
  if (length === 0) return nothing;
  const head = [(field << 3) | 2];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Buffer.from(head);
}

const nothing = Buffer.alloc(0);

const bytes = (field: number, value: Uint8Array): Buffer => headed(field, value, 0);

const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value, "utf8"));
