import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  type StatusObject,
} from "@grpc/grpc-js";
import { pino } from "pino";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { LoadReports } from "../load/load-reports.ts";
import { localStatuses, NodeStatus } from "../proxy-status/node-status.ts";
import { PublicationTimes } from "../publishing/publication-times.ts";
import { SnapshotCache } from "../publishing/snapshot-cache.ts";
import { resourceType } from "../resources/resource-types.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import { clientStatusAnswers } from "./client-status/client-status-answers.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { readerOptions, startXdsServer, type XdsTls } from "./xds-server.ts";

const ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";

/** A running xDS server whose snapshot the test sets directly. */
export async function testServer(options: { limits?: Partial<Limits>; tls?: XdsTls } = {}) {
  const cache = new SnapshotCache();
  const statuses = new NodeStatus({ maxGone: 2, now: Date.now });
  const counted: string[] = [];
  const places = { maxPlaces: 100, maxPlacesPerProxy: 100, idleMs: 60_000 };
  const loads = new LoadReports({ ...places, now: Date.now, counted: () => {} });
  const limits = { ...defaultLimits, ...options.limits };
  const server = await startXdsServer({
    listen: { host: "127.0.0.1", port: 0 },
    cache,
    statuses,
    loads,
    limits,
    answerClientStatus: clientStatusAnswers({
      proxies: localStatuses(statuses),
      cache,
      publicationTimes: new PublicationTimes(cache, Date.now),
      limits,
      readers: readerOptions(options.tls),
    }),
    firstStream: 1,
    identifier: "test-server",
    metrics: {
      pushed: (type) => counted.push(`pushed ${type}`),
      nacked: (type) => counted.push(`nacked ${type}`),
      streams: () => {},
    },
    log: pino({ level: "silent" }),
    now: Date.now,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  const publish = (snapshots: Record<string, Snapshot>): void =>
    cache.set({
      snapshots: new Map(Object.entries(snapshots)),
      groupOf: ({ cluster }) => (cluster === "" ? "default" : cluster),
    });
  return { server, cache, statuses, loads, counted, publish, address: `127.0.0.1:${server.address.port}` };
}

/** A client stream over a real socket: the messages in the order of arrival, and the status that ended it. */
export class TestStream<Response> {
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #client: Client;
  readonly #received: Response[] = [];
  readonly #waiting: ((response: Response) => void)[] = [];
  /** The status with which the server ended the stream. */
  readonly ended: Promise<StatusObject>;

  constructor(
    address: string,
    path: string,
    read: (bytes: Buffer) => Response,
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    const asIs = (bytes: Buffer): Buffer => bytes;
    this.#client = new Client(address, channel);
    this.#call = this.#client.makeBidiStreamRequest(path, asIs, asIs);
    this.ended = new Promise((resolve) => this.#call.on("status", resolve));
    this.#call.on("error", () => {}); // told by `ended`
    this.#call.on("data", (bytes: Buffer) => {
      const response = read(bytes);
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#received.push(response);
      else waiter(response);
    });
  }

  send(bytes: Uint8Array): void {
    this.#call.write(Buffer.from(bytes));
  }

  /** Waits for the next response. The test's own time limit bounds the wait. */
  async next(): Promise<Response> {
    return this.#received.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Half-closes the stream: the client sends no more. */
  finish(): void {
    this.#call.end();
  }

  /** Stops reading, so that flow control holds the server back. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}

export class SotwStream extends TestStream<DiscoveryResponse> {
  constructor(address: string, path: string = `${ADS}StreamAggregatedResources`, channel?: ChannelCredentials) {
    super(address, path, (bytes) => fromBinary(DiscoveryResponseSchema, bytes), channel);
  }

  ask(shortName: string, request: MessageInitShape<typeof DiscoveryRequestSchema>): void {
    const { typeUrl } = resourceType(shortName);
    this.send(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { typeUrl, ...request })));
  }
}

export class DeltaStream extends TestStream<DeltaDiscoveryResponse> {
  constructor(address: string, path: string = `${ADS}DeltaAggregatedResources`) {
    super(address, path, (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes));
  }

  ask(shortName: string, request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    const { typeUrl } = resourceType(shortName);
    this.send(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { typeUrl, ...request })));
  }
}
