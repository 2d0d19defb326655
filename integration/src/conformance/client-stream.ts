import assert from "node:assert/strict";
import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type StatusObject, status } from "@grpc/grpc-js";
import type { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { type TypeName, typeUrlOf, type Variant } from "./resources.ts";
import { fromDelta, fromSotw, itemsOf, type Response, shown } from "./response.ts";

type Fields<Schema extends DescMessage> = Exclude<MessageInitShape<Schema>, Message>;
type SotwRequest = Fields<typeof DiscoveryRequestSchema>;
type DeltaRequest = Fields<typeof DeltaDiscoveryRequestSchema>;

/** The types of the fences. A fence is a resource that no rule uses. A request for it proves that no other response is due. */
export const fences = ["RTDS", "SDS", "ECDS"] as const satisfies readonly TypeName[];
export const fenceName = "fence";

export interface ClientOptions {
  readonly address: string;
  /** The method's gRPC path. */
  readonly path: string;
  readonly variant: Variant;
  readonly nodeId: string;
  /** The client features in the node. */
  readonly features: readonly string[];
  /** How long a response may take before the rule counts as broken, in milliseconds. A passing test never waits this long. */
  readonly patienceMs: number;
  /** The maximum number of responses. A server that sends more breaks the rule. */
  readonly maxResponses: number;
}

const maxMessageBytes = 64 * 1024 * 1024;

/** The client's state of one type on a stream. */
interface TypeState {
  readonly names: Set<string>;
  nonce: string;
  /** The last version accepted. */
  version: string;
}

/** The client's side of a stream in either variant. It follows the protocol document, but `sotw` and `delta` send any request. */
export class ClientStream {
  readonly variant: Variant;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #node: MessageInitShape<typeof NodeSchema>;
  readonly #patienceMs: number;
  readonly #maxResponses: number;
  readonly #types = new Map<TypeName, TypeState>();
  readonly #received: Response[] = [];
  #wake: () => void = () => {};
  #hasSentNode = false;
  #fencesUsed = 0;
  #responses = 0;
  #end: StatusObject | undefined;
  #fault: unknown;

  constructor({ address, path, variant, nodeId, features, patienceMs, maxResponses }: ClientOptions) {
    this.variant = variant;
    this.#node = { id: nodeId, cluster: "conformance", clientFeatures: [...features] };
    this.#patienceMs = patienceMs;
    this.#maxResponses = maxResponses;
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_send_message_length": maxMessageBytes,
      "grpc.use_local_subchannel_pool": 1,
    });
    const asIs = (bytes: Buffer): Buffer => bytes;
    this.#call = this.#client.makeBidiStreamRequest(path, asIs, asIs);
    this.#call.on("error", () => {}); // "status" reports it
    this.#call.on("status", (end: StatusObject) => {
      this.#end = end;
      this.#wake();
    });
    this.#call.on("data", (bytes: Buffer) => {
      try {
        const sotw = variant === "sotw";
        const response = sotw
          ? fromSotw(fromBinary(DiscoveryResponseSchema, bytes))
          : fromDelta(fromBinary(DeltaDiscoveryResponseSchema, bytes));
        this.#received.push(response);
      } catch (error) {
        this.#fault ??= error;
      }
      this.#wake();
    });
  }

  /** Subscribes to names of a type. A first request without a name is a wildcard. */
  subscribe(type: TypeName, ...names: readonly string[]): void {
    const state = this.#state(type);
    for (const name of names) state.names.add(name);
    if (this.variant === "delta") this.delta(type, { resourceNamesSubscribe: [...names] });
    else this.#askSotw(type);
  }

  unsubscribe(type: TypeName, ...names: readonly string[]): void {
    const state = this.#state(type);
    for (const name of names) state.names.delete(name);
    if (this.variant === "delta") this.delta(type, { resourceNamesUnsubscribe: [...names] });
    else this.#askSotw(type);
  }

  ack(response: Response): void {
    const type = response.type as TypeName;
    this.#state(type).version = response.version;
    if (this.variant === "delta") this.delta(type, { responseNonce: response.nonce });
    else this.#askSotw(type);
  }

  /** Rejects a response as Envoy does: with the last accepted version, the nonce and the reason. */
  nack(response: Response, reason: string): void {
    const type = response.type as TypeName;
    const errorDetail = { code: status.INVALID_ARGUMENT, message: reason };
    if (this.variant === "delta") this.delta(type, { responseNonce: response.nonce, errorDetail });
    else this.#askSotw(type, { errorDetail });
  }

  /** Sends a state-of-the-world request as given. The first request of the stream also gets the node. */
  sotw(type: TypeName, request: SotwRequest): void {
    const fields = { typeUrl: typeUrlOf(type), ...this.#introduction(), ...request };
    this.#send(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, fields)));
  }

  /** Sends an incremental request as given. The first request of the stream also gets the node. */
  delta(type: TypeName, request: DeltaRequest): void {
    const fields = { typeUrl: typeUrlOf(type), ...this.#introduction(), ...request };
    this.#send(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields)));
  }

  /** The next response, of any type. */
  async next(): Promise<Response> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const response = this.#received.shift();
      if (response !== undefined) {
        if (++this.#responses > this.#maxResponses)
          throw new Error(`More than ${this.#maxResponses} responses arrived`);
        this.#state(response.type as TypeName).nonce = response.nonce;
        return response;
      }
      if (this.#end !== undefined) throw new Error(`The stream ended: ${status[this.#end.code]} ${this.#end.details}`);
      const isIn = await this.#arrivalBy(deadline);
      if (!isIn) throw new Error(`No response within ${this.#patienceMs} ms`);
    }
  }

  /** Checks that the next response has exactly this content, and ACKs it. */
  async takes(expected: string): Promise<Response> {
    const response = await this.next();
    assert.equal(shown(response), expected);
    this.ack(response);
    return response;
  }

  /**
   * ACKs responses until the client has received all these items. The server may group them in any way. Returns all items
   * that were received.
   */
  async gathers(type: TypeName, ...expected: readonly string[]): Promise<ReadonlySet<string>> {
    const received = new Set<string>();
    while (!expected.every((item) => received.has(item))) {
      const response = await this.next();
      assert.equal(response.type, type);
      for (const item of itemsOf(response)) received.add(item);
      this.ack(response);
    }
    return received;
  }

  /**
   * Proves that no response is due: the client requests a fence, and the next response must be its answer. No time-out is
   * needed, because responses that are due leave the stream in order.
   */
  async quiet(): Promise<void> {
    const fence = this.#askForFence();
    const response = await this.next();
    assert.equal(shown(response), fence, "only the answer to the last request was due");
    this.ack(response);
  }

  /** ACKs all responses that are due, where a server may send some but need not. Returns all items that were received. */
  async drained(): Promise<ReadonlySet<string>> {
    const fence = this.#askForFence();
    const received = new Set<string>();
    for (;;) {
      const response = await this.next();
      this.ack(response);
      if (shown(response) === fence) return received;
      for (const item of itemsOf(response)) received.add(item);
    }
  }

  /** How the server ended the stream. */
  async ended(): Promise<StatusObject> {
    const deadline = Date.now() + this.#patienceMs;
    while (this.#end === undefined && (await this.#arrivalBy(deadline)));
    if (this.#end === undefined) throw new Error(`The server did not end the stream within ${this.#patienceMs} ms`);
    return this.#end;
  }

  /** Stops reading, so that flow control holds back the server's responses. */
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

  /** Subscribes to a fence that is new on this stream. Returns the content of its response. */
  #askForFence(): string {
    const fence = fences[this.#fencesUsed++];
    if (fence === undefined) throw new Error(`A stream has ${fences.length} fences only`);
    this.subscribe(fence, fenceName);
    return `${fence} ${fenceName}@1`;
  }

  #askSotw(type: TypeName, more: SotwRequest = {}): void {
    const { names, nonce, version } = this.#state(type);
    this.sotw(type, { versionInfo: version, responseNonce: nonce, resourceNames: [...names], ...more });
  }

  #state(type: TypeName): TypeState {
    const state = this.#types.get(type) ?? { names: new Set<string>(), nonce: "", version: "" };
    this.#types.set(type, state);
    return state;
  }

  /** The node for the first request of the stream. Empty for later requests. */
  #introduction(): { readonly node?: MessageInitShape<typeof NodeSchema> } {
    if (this.#hasSentNode) return {};
    this.#hasSentNode = true;
    return { node: this.#node };
  }

  #send(bytes: Uint8Array): void {
    this.#call.write(Buffer.from(bytes));
  }

  /** Resolves to whether something arrived before the deadline. */
  async #arrivalBy(deadline: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), deadline - Date.now());
    this.#wake = () => resolve(true);
    const isIn = await promise;
    clearTimeout(timer);
    return isIn;
  }
}
