import { setImmediate as nextTurn } from "node:timers/promises";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { validate } from "xds-proto-ts";
import { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import {
  type ClientStatusRequest,
  ClientStatusRequestSchema,
  ClientConfig_GenericXdsConfigSchema as ResourceConfigSchema,
} from "xds-proto-ts/envoy/service/status/v3/csds";
import { CallFault } from "../../grpc/status.ts";
import type { Node } from "../../model/node.ts";
import type { ProxyStatus } from "../../proxy-status/proxy-status.ts";
import type { ProxyStatuses } from "../../proxy-status/proxy-statuses.ts";
import type { PublicationTimes } from "../../publishing/publication-times.ts";
import type { SnapshotCache } from "../../publishing/snapshot-cache.ts";
import { emptySnapshot } from "../../resources/snapshot.ts";
import type { Limits } from "../limits.ts";
import { nodeMessage } from "../node-message.ts";
import { resourceConfigs } from "./client-config.ts";
import type { AnswerClientStatus } from "./client-status.ts";
import { type Caller, type ReaderOptions, readableNodes } from "./client-status-readers.ts";
import { nodeTest } from "./node-matcher.ts";

export interface ClientStatusAnswers {
  readonly proxies: ProxyStatuses;
  readonly cache: SnapshotCache;
  readonly publicationTimes: PublicationTimes;
  readonly limits: Limits;
  readonly readers: ReaderOptions;
}

/**
 * Answers one client status request at a time, whichever client sent it, because each answer costs memory and delays
 * discovery streams.
 */
export function clientStatusAnswers(deps: ClientStatusAnswers): AnswerClientStatus {
  let last: Promise<unknown> = Promise.resolve();
  return (request, caller) => {
    const made = last.then(() => clientStatus(request, caller, deps));
    last = made.catch(() => {});
    return made;
  };
}

/** The number of proxies whose statuses are read at once. */
const proxiesAtOnce = 100;

async function clientStatus(bytes: Buffer, caller: Caller, deps: ClientStatusAnswers): Promise<readonly Uint8Array[]> {
  const { proxies, cache, publicationTimes, limits, readers } = deps;
  const request = decoded(bytes);
  const { excludeResourceContents: excludeContents } = request;
  const slice = timeSlice();
  const isReadable = readableNodes(caller, readers);
  const nodes = await chosen(request, await proxies.connected(), { isReadable, slice });
  if (nodes.length > limits.maxClientStatuses) {
    const limit = `the limit is ${limits.maxClientStatuses} (--limit maxClientStatuses)`;
    throw new CallFault(
      "RESOURCE_EXHAUSTED",
      `${nodes.length} proxies match, and ${limit}; select fewer with node_matchers`,
    );
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  let statuses: ReadonlyMap<string, ProxyStatus> = new Map();
  for (const [at, node] of nodes.entries()) {
    if (at % proxiesAtOnce === 0) {
      statuses = await proxies.some(nodes.slice(at, at + proxiesAtOnce).map(({ id }) => id));
    }
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
  return parts;
}

function tooLong(proxies: number, { maxMessageBytes }: Limits): CallFault {
  const hint = "select fewer proxies with node_matchers, or set exclude_resource_contents";
  return new CallFault(
    "RESOURCE_EXHAUSTED",
    `The status of ${proxies} proxies has over ${maxMessageBytes} bytes; ${hint}`,
  );
}

/** The maximum time that an answer delays the discovery streams, in milliseconds. */
const sliceMs = 10;

interface TimeSlice {
  /** Waits for the next turn of the event loop when the slice of time is used up. */
  next(): Promise<void>;
}

function timeSlice(): TimeSlice {
  let since = performance.now();
  return {
    async next() {
      if (performance.now() - since < sliceMs) return;
      await nextTurn();
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
  const test = nodeTest(nodeMatchers);
  const matching: Node[] = [];
  for (const node of nodes) {
    if (isReadable(node.id) && test(node)) matching.push(node);
    await slice.next();
  }
  return matching.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Compiling the matchers blocks the event loop, so their size is limited. The limit is enough for hundreds of node ids. */
const maxRequestBytes = 16 * 1024;

function decoded(bytes: Buffer): ClientStatusRequest {
  if (bytes.length > maxRequestBytes)
    throw new CallFault("RESOURCE_EXHAUSTED", `A client status request must not exceed ${maxRequestBytes} bytes`);
  let request: ClientStatusRequest;
  try {
    request = fromBinary(ClientStatusRequestSchema, bytes);
  } catch {
    throw new CallFault("INVALID_ARGUMENT", "Cannot decode the request as a client status request");
  }
  const [violation] = validate(ClientStatusRequestSchema, request);
  if (violation === undefined) return request;
  throw new CallFault("INVALID_ARGUMENT", `The request is not valid: ${violation.path}: ${violation.message}`);
}
