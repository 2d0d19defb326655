import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";

const streamsAConnection = 100;
const methods = { sotw: "StreamAggregatedResources", delta: "DeltaAggregatedResources" } as const;

/** The parts of a response that the tests look at. */
export interface Received {
  readonly typeUrl: string;
  readonly nonce: string;
  /** The bytes of each resource, as latin1. */
  readonly contents: readonly string[];
}

/** A discovery client that subscribes to all resources of some types. It ACKs or NACKs every response. */
export class StormClient {
  readonly nodeId: string;
  readonly received: Received[] = [];
  readonly #variant: keyof typeof methods;
  readonly #rejection: string | undefined;
  readonly #stream: ClientHttp2Stream;
  readonly #versions = new Map<string, string>();
  #unread: Buffer = Buffer.alloc(0);

  constructor(
    session: ClientHttp2Session,
    { nodeId, variant, typeUrls, rejection }: StormOptions & { readonly nodeId: string },
  ) {
    this.nodeId = nodeId;
    this.#variant = variant;
    this.#rejection = rejection;
    this.#stream = session.request({
      ":method": "POST",
      ":path": `/envoy.service.discovery.v3.AggregatedDiscoveryService/${methods[variant]}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    this.#stream.on("error", () => {}).on("data", (bytes: Buffer) => this.#read(bytes));
    for (const typeUrl of typeUrls) this.#send({ typeUrl, node: { id: nodeId, cluster: "storm" } });
  }

  #read(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    for (;;) {
      if (this.#unread.length < 5) return;
      const end = 5 + this.#unread.readUInt32BE(1);
      if (this.#unread.length < end) return;
      this.#receive(this.#unread.subarray(5, end));
      this.#unread = this.#unread.subarray(end);
    }
  }

  #receive(message: Uint8Array): void {
    const received = this.#variant === "sotw" ? this.#sotw(message) : delta(message);
    this.received.push(received);
    const { typeUrl, nonce: responseNonce } = received;
    const rejection = received.contents.length === 0 ? undefined : this.#rejection;
    this.#send({ typeUrl, responseNonce, ...(rejection === undefined ? {} : { errorDetail: { message: rejection } }) });
  }

  #sotw(message: Uint8Array): Received {
    const { typeUrl, nonce, versionInfo, resources } = fromBinary(DiscoveryResponseSchema, message);
    if (this.#rejection === undefined) this.#versions.set(typeUrl, versionInfo);
    return { typeUrl, nonce, contents: resources.map(({ value }) => Buffer.from(value).toString("latin1")) };
  }

  #send(request: {
    typeUrl: string;
    responseNonce?: string;
    node?: { id: string; cluster: string };
    errorDetail?: { message: string };
  }): void {
    const versionInfo = this.#versions.get(request.typeUrl) ?? "";
    const message =
      this.#variant === "sotw"
        ? toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { ...request, versionInfo }))
        : toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }
}

function delta(message: Uint8Array): Received {
  const { typeUrl, nonce, resources } = fromBinary(DeltaDiscoveryResponseSchema, message);
  return {
    typeUrl,
    nonce,
    contents: resources.map((each) => Buffer.from(each.resource?.value ?? []).toString("latin1")),
  };
}

export interface StormOptions {
  readonly variant: keyof typeof methods;
  readonly typeUrls: readonly string[];
  /** The error message of its NACKs. Absent: it ACKs. */
  readonly rejection?: string;
}

/** Clients of both variants that connect at once, a hundred to a connection. */
export class Storm implements Disposable {
  readonly clients: readonly StormClient[];
  readonly #sessions: ClientHttp2Session[] = [];

  constructor(
    xds: { readonly host: string; readonly port: number },
    { count, optionsOf }: { count: number; optionsOf: (nodeId: string) => Omit<StormOptions, "variant"> },
  ) {
    this.clients = Array.from({ length: count }, (_, index) => {
      if (index % streamsAConnection === 0) {
        this.#sessions.push(connect(`http://${xds.host}:${xds.port}`).on("error", () => {}));
      }
      const nodeId = `storm-${index}`;
      const variant = index % 2 === 0 ? "sotw" : "delta";
      return new StormClient(this.#sessions.at(-1) as ClientHttp2Session, { nodeId, variant, ...optionsOf(nodeId) });
    });
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.destroy();
  }
}
