import { toBinary } from "@bufbuild/protobuf";
import { DurationSchema, durationFromMs } from "@bufbuild/protobuf/wkt";
import { type SharedMessage, sharedMessage } from "../../grpc/call.ts";
import type { Response } from "../../protocol/stream.ts";
import type { Resource } from "../../resources/snapshot.ts";

/**
 * How resources stand in a response: in state of the world as themselves, in delta in a `Resource`. Clients that know of
 * a time to live are told of it: in state of the world that needs a `Resource` as a wrapper, because it has no other place there.
 */
export type Form = "sotw" | "sotw with ttl" | "delta" | "delta with ttl";

const isDelta = (form: Form): boolean => form === "delta" || form === "delta with ttl";
const saysTtl = (form: Form): boolean => form === "sotw with ttl" || form === "delta with ttl";

/** Writes responses: each once, whoever it is sent to. */
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
 * Puts a response together out of the bytes of each resource, whoever it is sent to. The fields and their numbers are those
 * of envoy/service/discovery/v3/discovery.proto.
 */
function encoded(
  form: Form,
  { type, nonce, version: setVersion, update }: Response,
  controlPlane: Buffer,
): readonly Uint8Array[] {
  const version = text(1, setVersion);
  const rest = [text(4, type.typeUrl), text(5, nonce)];
  const resources = [...update.changed, ...update.kept].flatMap((resource) => framed(resource, form));
  const alive = update.alive.map((resource) => signOfLife(resource, form));
  if (!isDelta(form)) return [version, ...resources, ...alive, ...rest, bytes(6, controlPlane)];
  // A name without a resource, under itself as an alias: whoever waits for that name goes on (VHDS).
  const vacant = update.vacant.map((name) => bytes(2, Buffer.concat([text(3, name), text(4, name)])));
  const removed = update.removed.map((name) => text(6, name));
  return [version, ...resources, ...alive, ...vacant, ...rest, ...removed, bytes(7, controlPlane)];
}

/** What stands before a resource's bytes in a response: made once for each, and small beside them. */
const heads = byForm<Resource, Buffer>();

/** Field 2 of a response, which ends with the resource's bytes. */
function framed(resource: Resource, form: Form): readonly [head: Buffer, body: Uint8Array] {
  const { body } = resource;
  const known = heads[form].get(resource);
  if (known !== undefined) return [known, body];
  const any = Buffer.concat([text(1, resource.typeUrl), lengthHead(2, body.length)]);
  const head = headed(2, inForm(resource, form, any), body.length);
  heads[form].set(resource, head);
  return [head, body];
}

/** `any`: the beginning of an Any that ends with the resource's bytes. */
function inForm(resource: Resource, form: Form, any: Buffer): Buffer {
  const { length } = resource.body;
  if (!isDelta(form) && (!saysTtl(form) || resource.ttlMs === undefined)) return any;
  const wrapper = Buffer.concat([about(resource, form), headed(2, any, length)]);
  return isDelta(form) ? wrapper : wrapped(wrapper, length);
}

/** A resource of which nothing is said but that it is still to be held. */
function signOfLife(resource: Resource, form: Form): Buffer {
  const said = about(resource, form);
  return bytes(2, isDelta(form) ? said : wrapped(said, 0));
}

/** All fields of a `Resource` but the resource itself. */
function about({ name, version, aliases = [], ttlMs }: Resource, form: Form): Buffer {
  const ttl =
    ttlMs !== undefined && saysTtl(form) ? bytes(6, toBinary(DurationSchema, durationFromMs(ttlMs))) : nothing;
  return Buffer.concat([text(1, version), text(3, name), ...aliases.map((alias) => text(4, alias)), ttl]);
}

const wrapped = (wrapper: Buffer, toCome: number): Buffer =>
  Buffer.concat([text(1, "type.googleapis.com/envoy.service.discovery.v3.Resource"), headed(2, wrapper, toCome)]);

/** The beginning of a field, of whose value these many bytes are still to come. */
function headed(field: number, value: Uint8Array, toCome: number): Buffer {
  return Buffer.concat([lengthHead(field, value.length + toCome), value]);
}

/** The tag and the length of a length-delimited field. One that is empty is left out, as proto3 has it. */
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
