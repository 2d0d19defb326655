import { setImmediate as others } from "node:timers/promises";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { validate } from "xds-proto-ts";
import { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import {
  type ClientStatusRequest,
  ClientStatusRequestSchema,
  ClientConfig_GenericXdsConfigSchema as ResourceConfigSchema,
} from "xds-proto-ts/envoy/service/status/v3/csds";
import type { NodeStatus } from "../cache/node-status.ts";
import type { PublicationTimes } from "../cache/publication-times.ts";
import type { Node, SnapshotCache } from "../cache/snapshot-cache.ts";
import { nodeMessage, resourceConfigs } from "../client-status/client-config.ts";
import { MatcherFault, type NodeTest, nodeTest } from "../client-status/node-matcher.ts";
import { emptySnapshot } from "../resources/snapshot.ts";
import { type Call, type Method, type Methods, type SharedMessage, sharedMessage } from "./call.ts";
import { type ReaderOptions, readableNodes } from "./client-status-readers.ts";
import type { Limits } from "./limits.ts";
import { CallFault } from "./status.ts";

const service = "/envoy.service.status.v3.ClientStatusDiscoveryService";

export interface ClientStatusDeps {
  readonly statuses: NodeStatus;
  readonly cache: SnapshotCache;
  readonly publicationTimes: PublicationTimes;
  readonly limits: Limits;
  readonly readers: ReaderOptions;
}

type Answer = (request: Buffer, call: Call) => Promise<SharedMessage>;

/** Client status discovery: who holds which version, who refuses what and why, for tools that speak gRPC. */
export function clientStatusMethods(deps: ClientStatusDeps): Methods {
  // One answer is made at a time, however many ask: it takes memory, and time from the discovery streams.
  let last: Promise<unknown> = Promise.resolve();
  const answer: Answer = (request, call) => {
    const made = last.then(() => clientStatus(request, call, deps));
    last = made.catch(() => {});
    return made;
  };
  const served =
    (takesMany: boolean): Method =>
    (call) => {
      // Refused before anything is read.
      readableNodes(call, deps.readers);
      return answering(call, { answer, takesMany });
    };
  return new Map([
    [`${service}/StreamClientStatus`, served(true)],
    [`${service}/FetchClientStatus`, served(false)],
  ]);
}

/** Each request is answered before the next one is read. */
function answering(call: Call, { answer, takesMany }: { answer: Answer; takesMany: boolean }): ReturnType<Method> {
  let requests = 0;
  return {
    onMessage(bytes) {
      requests += 1;
      if (requests > 1 && !takesMany) throw new CallFault("INVALID_ARGUMENT", "This method takes one message only");
      call.pause();
      answer(Buffer.from(bytes), call).then(
        (response) =>
          call.run(() => {
            if (call.send(response)) call.resume();
          }),
        (error: unknown) =>
          call.run(() => {
            throw error;
          }),
      );
    },
    onDrain: () => call.resume(),
    onHalfClose() {
      if (requests === 0 && !takesMany)
        throw new CallFault("INVALID_ARGUMENT", "This method takes one message, and got none");
      call.end();
    },
    onClose() {},
  };
}

async function clientStatus(bytes: Buffer, call: Call, deps: ClientStatusDeps): Promise<SharedMessage> {
  const { statuses, cache, publicationTimes, limits, readers } = deps;
  const request = decoded(bytes);
  const { excludeResourceContents: excludeContents } = request;
  const slice = timeSlice();
  const nodes = await chosen(request, statuses.connected(), { isReadable: readableNodes(call, readers), slice });
  if (nodes.length > limits.maxClientStatuses) {
    const most = `${limits.maxClientStatuses} are the most (--limit maxClientStatuses)`;
    throw new CallFault(
      "RESOURCE_EXHAUSTED",
      `${nodes.length} proxies match and ${most}; ask for fewer by node_matchers`,
    );
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const node of nodes) {
    const proxy = statuses.get(node.id);
    if (proxy === undefined || proxy.streams.length === 0) continue;
    const config = [field(1, toBinary(NodeSchema, nodeMessage(node)))];
    const snapshot = cache.get()?.snapshots.get(proxy.nodeGroup) ?? emptySnapshot;
    const publishedAt = publicationTimes.of.bind(publicationTimes);
    for (const resource of resourceConfigs({ proxy, snapshot, publishedAt, excludeContents })) {
      const part = field(3, toBinary(ResourceConfigSchema, resource));
      config.push(part);
      length += part.length;
      if (length > limits.maxMessageBytes) throw tooLong(nodes.length, limits);
      await slice.next();
    }
    parts.push(field(1, Buffer.concat(config)));
  }
  return sharedMessage("client status response", parts);
}

function tooLong(proxies: number, { maxMessageBytes }: Limits): CallFault {
  const hint = "ask for fewer proxies by node_matchers, or set exclude_resource_contents";
  return new CallFault(
    "RESOURCE_EXHAUSTED",
    `The status of ${proxies} proxies takes over ${maxMessageBytes} bytes; ${hint}`,
  );
}

/** How long an answer may keep the discovery streams waiting, in milliseconds. */
const sliceMs = 10;

interface TimeSlice {
  /** Lets others go on when the slice of time is used up. */
  next(): Promise<void>;
}

function timeSlice(): TimeSlice {
  let since = performance.now();
  return {
    async next() {
      if (performance.now() - since < sliceMs) return;
      await others();
      since = performance.now();
    },
  };
}

/** A field of `ClientStatusResponse` or `ClientConfig` that holds a message. */
function field(number: number, message: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(message).finish();
}

async function chosen(
  { nodeMatchers }: ClientStatusRequest,
  nodes: readonly Node[],
  { isReadable, slice }: { isReadable: (nodeId: string) => boolean; slice: TimeSlice },
): Promise<readonly Node[]> {
  const test = testOf(nodeMatchers);
  const matching: Node[] = [];
  for (const node of nodes) {
    if (isReadable(node.id) && test(node)) matching.push(node);
    await slice.next();
  }
  return matching.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function testOf(matchers: ClientStatusRequest["nodeMatchers"]): NodeTest {
  try {
    return nodeTest(matchers);
  } catch (error) {
    if (!(error instanceof MatcherFault)) throw error;
    throw new CallFault("INVALID_ARGUMENT", `Cannot match proxies by node_matchers: ${error.message}`);
  }
}

/** Matchers are compiled in one go; this is room for hundreds of node ids. */
const maxRequestBytes = 16 * 1024;

function decoded(bytes: Buffer): ClientStatusRequest {
  if (bytes.length > maxRequestBytes)
    throw new CallFault("RESOURCE_EXHAUSTED", `A client status request may have ${maxRequestBytes} bytes at most`);
  let request: ClientStatusRequest;
  try {
    request = fromBinary(ClientStatusRequestSchema, bytes);
  } catch {
    throw new CallFault("INVALID_ARGUMENT", "The request is not a client status request that can be decoded");
  }
  const [violation] = validate(ClientStatusRequestSchema, request);
  if (violation === undefined) return request;
  throw new CallFault("INVALID_ARGUMENT", `The request is not valid: ${violation.path}: ${violation.message}`);
}
