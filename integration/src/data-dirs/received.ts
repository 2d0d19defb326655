import { createHash } from "node:crypto";
import { create, fromBinary, type JsonObject, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type Resource,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";

/** A proxy, as its requests say who it is. */
export interface AskingNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata?: JsonObject;
  readonly locality?: { readonly region: string; readonly zone: string; readonly subZone: string };
}

/** How one resource was received. */
export interface ReceivedResource {
  readonly version: string;
  /** The sha256 of the resource's bytes. */
  readonly sha256: string;
  /** In seconds; absent when the resource has no time to live. */
  readonly ttl?: number;
  /** Absent when it has none. */
  readonly aliases?: readonly string[];
}

/** By type URL, then by name. */
export type Received = Readonly<Record<string, Readonly<Record<string, ReceivedResource>>>>;

export interface Asked {
  readonly node: AskingNode;
  /** By type URL, the names asked for; no names ask for everything of the type. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/** Asks for some types on one incremental stream, ACKs what comes, and tells it once every type was answered. */
export async function received(xds: string, { node, names }: Asked): Promise<Received> {
  const client = new Client(xds, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(method, asIs, (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes));
  const ask = (request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): boolean =>
    stream.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request))));
  const types = new Map<string, Readonly<Record<string, ReceivedResource>>>();
  // Told by the loop below, and by nobody once the stream is cancelled.
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
