import { createHash } from "node:crypto";
import { create, fromBinary, type JsonObject, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type Resource,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";

/** The node of a proxy in its requests. */
export interface ProxyNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata?: JsonObject;
  readonly locality?: { readonly region: string; readonly zone: string; readonly subZone: string };
}

/** A resource as it was received. */
export interface ReceivedResource {
  readonly version: string;
  /** The sha256 of the resource's bytes. */
  readonly sha256: string;
  /** The time to live in seconds. Absent: none. */
  readonly ttl?: number;
  /** Absent: none. */
  readonly aliases?: readonly string[];
}

/** Resources by type URL, then by name. */
export type Received = Readonly<Record<string, Readonly<Record<string, ReceivedResource>>>>;

export interface ProxySubscriptions {
  readonly node: ProxyNode;
  /** The names of the subscription, by type URL. An empty list subscribes to all resources of the type. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/** Subscribes to types on one delta stream, and ACKs the responses. Returns the resources once each type has a response. */
export async function received(xds: string, { node, names }: ProxySubscriptions): Promise<Received> {
  const client = new Client(xds, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(method, asIs, (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes));
  const ask = (request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): boolean =>
    stream.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request))));
  const types = new Map<string, Readonly<Record<string, ReceivedResource>>>();
  // The loop below throws errors. An error after the stream is cancelled does not matter.
  stream.on("error", () => {});
  try {
    for (const [typeUrl, subscribed] of Object.entries(names))
      ask({ typeUrl, node, resourceNamesSubscribe: [...subscribed] });
    for await (const { typeUrl, nonce, resources } of stream as AsyncIterable<DeltaDiscoveryResponse>) {
      ask({ typeUrl, responseNonce: nonce });
      const before = types.get(typeUrl) ?? {};
      types.set(typeUrl, { ...before, ...Object.fromEntries(resources.map((each) => [each.name, described(each)])) });
      if (types.size === Object.keys(names).length) return Object.fromEntries(types);
    }
  } finally {
    stream.cancel();
    client.close();
  }
  throw new Error("The server ended the stream before every type was answered");
}

function described({ version, resource, ttl, aliases }: Resource): ReceivedResource {
  const sha256 = createHash("sha256");
  if (resource !== undefined) sha256.update(resource.value);
  return {
    version,
    sha256: sha256.digest("hex"),
    ...(ttl === undefined ? {} : { ttl: Number(ttl.seconds) }),
    ...(aliases.length === 0 ? {} : { aliases }),
  };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
