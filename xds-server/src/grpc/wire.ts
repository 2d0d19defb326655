import { createHash } from "node:crypto";
import { fromBinary, type JsonObject } from "@bufbuild/protobuf";
import type { Node as NodeMessage } from "xds-proto-ts/envoy/config/core/v3/base";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import type { Node } from "../cache/snapshot-cache.ts";
import type { DeltaNames, Response, SotwNames } from "../protocol/stream.ts";
import type { Variant } from "../protocol/type-stream.ts";
import type { Resource, ResourceSet } from "../resources/snapshot.ts";
import { type SharedMessage, sharedMessage } from "./call.ts";

/** A request of either variant, as it came. */
export interface WireRequest {
  readonly typeUrl: string;
  /** Present in a stream's first request at least. */
  readonly node?: Node;
  readonly responseNonce: string;
  /** The client's reason for refusing; a refusal is known by its error, whatever versions and nonces say. */
  readonly refusal?: string;
  readonly names: SotwNames | DeltaNames;
}

/** Reads a request. Throws on bytes that are not one. */
export function readRequest(variant: Variant, bytes: Uint8Array): WireRequest {
  const message =
    variant === "sotw" ? fromBinary(DiscoveryRequestSchema, bytes) : fromBinary(DeltaDiscoveryRequestSchema, bytes);
  return {
    typeUrl: message.typeUrl,
    responseNonce: message.responseNonce,
    names:
      "resourceNames" in message
        ? { list: message.resourceNames, resumes: message.versionInfo !== "" }
        : deltaNames(message),
    ...(message.node === undefined ? {} : { node: readNode(message.node) }),
    ...(message.errorDetail === undefined ? {} : { refusal: message.errorDetail.message }),
  };
}

function deltaNames(message: {
  resourceNamesSubscribe: string[];
  resourceNamesUnsubscribe: string[];
  initialResourceVersions: { [name: string]: string };
}): DeltaNames {
  return {
    added: message.resourceNamesSubscribe,
    removed: message.resourceNamesUnsubscribe,
    initialVersions: new Map(Object.entries(message.initialResourceVersions)),
  };
}

function readNode(node: NodeMessage): Node {
  const { locality, metadata, userAgentVersionType: agent } = node;
  const semantic = agent.case === "userAgentBuildVersion" ? agent.value.version : undefined;
  const version =
    agent.case === "userAgentVersion"
      ? agent.value
      : semantic && `${semantic.majorNumber}.${semantic.minorNumber}.${semantic.patch}`;
  return {
    id: node.id,
    cluster: node.cluster,
    metadata: (metadata ?? {}) as JsonObject,
    locality: { region: locality?.region ?? "", zone: locality?.zone ?? "", subZone: locality?.subZone ?? "" },
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * Writes a response out of bytes that were framed once for each resource, whoever they are sent to. The fields and
 * their numbers are those of envoy/service/discovery/v3/discovery.proto.
 */
export function writeResponse(
  variant: Variant,
  { type, nonce, update, available }: Response,
  identifier: string,
): SharedMessage {
  const version = text(1, setVersion(available));
  const rest = [text(4, type.typeUrl), text(5, nonce)];
  const controlPlane = text(1, identifier);
  const what = `${type.shortName} response`;
  if (variant === "sotw") {
    const resources = [...update.changed, ...update.kept].map((resource) => frames(resource).sotw);
    return sharedMessage(what, [version, ...resources, ...rest, bytes(6, controlPlane)]);
  }
  const resources = update.changed.map((resource) => frames(resource).delta);
  return sharedMessage(what, [
    version,
    ...resources,
    ...rest,
    ...update.removed.map((name) => text(6, name)),
    bytes(7, controlPlane),
  ]);
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
  const inDelta = Buffer.concat([text(1, resource.version), bytes(2, any), text(3, resource.name)]);
  const made = { sotw: bytes(2, any), delta: bytes(2, inDelta) };
  framed.set(resource, made);
  return made;
}

const setVersions = new WeakMap<ResourceSet, string>();

/** The version of a whole set: a hash of its resources' versions, so that it too is the same after a restart. */
function setVersion(set: ResourceSet): string {
  const known = setVersions.get(set);
  if (known !== undefined) return known;
  const hash = createHash("sha256");
  for (const name of [...set.keys()].sort()) hash.update(`${name}\0${set.get(name)?.version}\0`);
  const version = hash.digest("hex").slice(0, 16);
  setVersions.set(set, version);
  return version;
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
