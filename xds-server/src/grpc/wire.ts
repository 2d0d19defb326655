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
 * Puts a response together out of bytes that were framed once for each resource. The fields and their numbers are those
 * of envoy/service/discovery/v3/discovery.proto.
 */
function encoded(
  variant: Variant,
  { type, nonce, version: setVersion, update }: Response,
  controlPlane: Buffer,
): readonly Buffer[] {
  const version = text(1, setVersion);
  const rest = [text(4, type.typeUrl), text(5, nonce)];
  if (variant === "sotw") {
    const resources = [...update.changed, ...update.kept].map((resource) => frames(resource).sotw);
    return [version, ...resources, ...rest, bytes(6, controlPlane)];
  }
  const resources = update.changed.map((resource) => frames(resource).delta);
  // A name without a resource, under itself as an alias: whoever waits for that name goes on (VHDS).
  const vacant = update.vacant.map((name) => bytes(2, Buffer.concat([text(3, name), text(4, name)])));
  const removed = update.removed.map((name) => text(6, name));
  return [version, ...resources, ...vacant, ...rest, ...removed, bytes(7, controlPlane)];
}

interface Frames {
  /** Field 2 of DiscoveryResponse: an Any. */
  readonly sotw: Buffer;
  /** Field 2 of DeltaDiscoveryResponse: a Resource that holds that Any, its name and version. */
  readonly delta: Buffer;
}

const framed = new WeakMap<Resource, Frames>();

function frames(resource: Resource): Frames {
  const known = framed.get(resource);
  if (known !== undefined) return known;
  const any = Buffer.concat([text(1, resource.typeUrl), bytes(2, resource.body)]);
  const aliases = (resource.aliases ?? []).map((alias) => text(4, alias));
  const inDelta = Buffer.concat([text(1, resource.version), bytes(2, any), text(3, resource.name), ...aliases]);
  const made = { sotw: bytes(2, any), delta: bytes(2, inDelta) };
  framed.set(resource, made);
  return made;
}

/** A length-delimited protobuf field; an empty one is left out, as proto3 has it. */
function bytes(field: number, value: Uint8Array): Buffer {
  if (value.length === 0) return Buffer.alloc(0);
  const head = [(field << 3) | 2];
  let length = value.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  head.push(length);
  return Buffer.concat([Buffer.from(head), value]);
}

const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value, "utf8"));
