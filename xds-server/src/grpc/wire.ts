import type { Response } from "../protocol/stream.ts";
import type { Variant } from "../protocol/type-stream.ts";
import type { Resource } from "../resources/snapshot.ts";
import { type SharedMessage, sharedMessage } from "./call.ts";

/** Writes responses: each once, whoever it is sent to. */
export type ResponseWriter = (variant: Variant, response: Response) => SharedMessage;

/** `identifier`: the `control_plane.identifier` of every response. */
export function responseWriter(identifier: string): ResponseWriter {
  const written = { sotw: new WeakMap<Response, SharedMessage>(), delta: new WeakMap<Response, SharedMessage>() };
  const controlPlane = text(1, identifier);
  return (variant, response) => {
    const known = written[variant].get(response);
    if (known !== undefined) return known;
    const message = sharedMessage(`${response.type.shortName} response`, encoded(variant, response, controlPlane));
    written[variant].set(response, message);
    return message;
  };
}

/**
 * Puts a response together out of the bytes of each resource, whoever it is sent to. The fields and their numbers are those
 * of envoy/service/discovery/v3/discovery.proto.
 */
function encoded(
  variant: Variant,
  { type, nonce, version: setVersion, update }: Response,
  controlPlane: Buffer,
): readonly Uint8Array[] {
  const version = text(1, setVersion);
  const rest = [text(4, type.typeUrl), text(5, nonce)];
  if (variant === "sotw") {
    const resources = [...update.changed, ...update.kept].flatMap((resource) => framed(resource, "sotw"));
    return [version, ...resources, ...rest, bytes(6, controlPlane)];
  }
  const resources = update.changed.flatMap((resource) => framed(resource, "delta"));
  // A name without a resource, under itself as an alias: whoever waits for that name goes on (VHDS).
  const vacant = update.vacant.map((name) => bytes(2, Buffer.concat([text(3, name), text(4, name)])));
  const removed = update.removed.map((name) => text(6, name));
  return [version, ...resources, ...vacant, ...rest, ...removed, bytes(7, controlPlane)];
}

/** What stands before a resource's bytes in a response: made once for each, and small beside them. */
const heads = { sotw: new WeakMap<Resource, Buffer>(), delta: new WeakMap<Resource, Buffer>() };

/** Field 2 of a response: in state of the world an Any, in delta a Resource that ends with one. */
function framed(resource: Resource, variant: Variant): readonly [head: Buffer, body: Uint8Array] {
  const { body } = resource;
  const known = heads[variant].get(resource);
  if (known !== undefined) return [known, body];
  const any = Buffer.concat([text(1, resource.typeUrl), lengthHead(2, body.length)]);
  const head = headed(2, variant === "sotw" ? any : inDelta(resource, any), body.length);
  heads[variant].set(resource, head);
  return [head, body];
}

function inDelta({ name, version, aliases = [], body }: Resource, any: Buffer): Buffer {
  const others = aliases.map((alias) => text(4, alias));
  return Buffer.concat([text(1, version), text(3, name), ...others, headed(2, any, body.length)]);
}

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
