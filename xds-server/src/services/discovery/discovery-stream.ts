import type { Call, CallHandler } from "../../grpc/call.ts";
import { CallFault } from "../../grpc/status.ts";
import type { Node } from "../../model/node.ts";
import { type Answer, isStale, onRequest, onSnapshot, onTime, openStream, type Step } from "../../protocol/stream.ts";
import type { Stream } from "../../protocol/stream-state.ts";
import type { Variant } from "../../protocol/type-stream.ts";
import type { Place } from "../../publishing/snapshot-cache.ts";
import { checkIdentity } from "../node-identity.ts";
import { checkedNode, checkNames } from "./checks.ts";
import { RequestReader, type WireRequest } from "./requests.ts";
import type { MethodOptions, SharedByStreams } from "./stream-deps.ts";
import { streamState, streamStatus } from "./stream-status.ts";
import type { Form } from "./wire.ts";

const maxNamesLogged = 20;

/** What is known once the first request has said which node the client is. */
interface Joined {
  readonly node: Node;
  /** The node group and its snapshot, as last looked up. */
  place: Place;
  stream: Stream;
}

/**
 * One gRPC call that carries one discovery stream. The protocol is decided in `protocol/`, which is pure; every side effect
 * of a stream is here. A request goes one way: `onMessage` reads it, `#join` finds the node's place with the first one,
 * `#answer` asks the protocol, `#take` sends the responses and records the outcome.
 */
export class DiscoveryStream implements CallHandler {
  readonly #call: Call;
  readonly #variant: Variant;
  readonly #shared: SharedByStreams;
  readonly #id: number;
  readonly #openedAt: number;
  readonly #reader: RequestReader;
  #joined: Joined | undefined;
  /** Undoes what joining registered. */
  #leave = (): void => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(call: Call, { variant, onlyType }: MethodOptions, shared: SharedByStreams) {
    this.#call = call;
    this.#variant = variant;
    this.#shared = shared;
    this.#id = shared.nextId();
    this.#openedAt = shared.now();
    this.#reader = new RequestReader({ variant, onlyType, maxNames: shared.limits.maxSubscriptions + 1 });
    shared.metrics.streams(variant, 1);
  }

  onMessage(bytes: Buffer): () => void {
    const request = this.#reader.read(bytes);
    return () => this.#receive(request);
  }

  onDrain(): void {
    this.#call.resume();
  }

  onHalfClose(): void {
    this.#call.end();
  }

  onClose(): void {
    clearTimeout(this.#timer);
    this.#leave();
    this.#joined = undefined;
    this.#shared.metrics.streams(this.#variant, -1);
  }

  #receive(request: WireRequest): void {
    this.#joined ??= this.#join(checkedNode(request.node, this.#shared.limits));
    this.#answer(request, this.#joined);
  }

  /** Finds the node's place and opens its stream. Throws a `CallFault` when the node may not join. */
  #join(node: Node): Joined {
    const { cache, limits, log } = this.#shared;
    const place = this.#admitted(node);
    const stream = openStream(this.#variant, place.snapshot, limits, { knowsTtl: knowsTtl(this.#variant, node) });
    const joined: Joined = { node, place, stream };
    this.#leave = this.#register(joined, () => cache.for(node, joined.place) ?? joined.place);
    // At debug level: by default, logging would be most of what opening a stream costs.
    log.debug({ ...this.#context(node), group: place.group }, "joined");
    return joined;
  }

  /** The place of a node that may open one more stream. */
  #admitted(node: Node): Place {
    const { cache, limits, nodeIdentity, streamsOfNodes } = this.#shared;
    if (nodeIdentity === "certificate") checkIdentity(node.id, this.#call.peerCertificate);
    const place = cache.for(node);
    if (place === undefined) {
      throw new CallFault("UNAVAILABLE", "There is nothing to serve: nothing was published yet");
    }
    if (streamsOfNodes.get(node.id) >= limits.maxStreamsPerNode) {
      throw new CallFault("RESOURCE_EXHAUSTED", `Node "${node.id}" has ${limits.maxStreamsPerNode} streams already`);
    }
    return place;
  }

  /**
   * Counts the stream, subscribes it to publications and shows it in the status. The returned function undoes all three.
   * Status compares with `placeNow`, the newest publication, even while this stream still waits for its turn to receive it.
   */
  #register(joined: Joined, placeNow: () => Place): () => void {
    const { node } = joined;
    const [id, openedAt, { peer }] = [this.#id, this.#openedAt, this.#call];
    const uncount = this.#shared.streamsOfNodes.add(node.id);
    const unsubscribe = this.#shared.publications.subscribe(() => this.#call.run(() => this.#publish(joined)));
    const closed = this.#shared.statuses.opened({
      node,
      group: () => placeNow().group,
      state: () => streamState(joined.stream.types, placeNow().snapshot),
      describe: () => streamStatus({ ...joined.stream, snapshot: placeNow().snapshot }, { id, peer, openedAt }),
    });
    return () => {
      unsubscribe();
      uncount();
      closed();
    };
  }

  #answer(request: WireRequest, joined: Joined): void {
    const { limits, now } = this.#shared;
    const { type, responseNonce, names } = request;
    checkNames(request, joined.stream, limits);
    if (!isStale(joined.stream, request)) this.#reader.taken();
    const errorDetail = request.errorDetail?.slice(0, limits.maxReasonLength);
    const asked = { type, responseNonce, names, ...(errorDetail === undefined ? {} : { errorDetail }) };
    this.#take(onRequest(joined.stream, asked, now()), joined);
  }

  #publish(joined: Joined): void {
    const { cache, now } = this.#shared;
    const place = cache.for(joined.node, joined.place);
    if (place === undefined) return;
    const isNew = place.snapshot !== joined.place.snapshot;
    joined.place = place;
    if (isNew) this.#take(onSnapshot(joined.stream, place.snapshot, now()), joined);
  }

  /** Sends the responses of a step, sets the timer that it asks for, and records what the client answered. */
  #take(step: Step, joined: Joined): void {
    joined.stream = step.stream;
    this.#send(step);
    this.#wakeAt(step.wakeAt, joined);
    if (step.answer !== undefined) this.#noteAnswer(step.answer, joined);
    if (step.answer !== undefined || step.responses.length > 0) this.#shared.statuses.changed(joined.node.id);
  }

  #send({ stream, responses }: Step): void {
    const { metrics, write } = this.#shared;
    for (const response of responses) {
      this.#call.send(write(formOf(stream), response));
      metrics.pushed(response.type.shortName);
    }
    // A client that does not read its responses is not read either. Otherwise the responses to its requests would pile up here.
    if (this.#call.isFull) this.#call.pause();
  }

  #wakeAt(time: number | undefined, joined: Joined): void {
    const { now } = this.#shared;
    clearTimeout(this.#timer);
    if (time === undefined) return;
    const wake = (): void => this.#take(onTime(joined.stream, now()), joined);
    this.#timer = setTimeout(() => this.#call.run(wake), Math.max(0, time - now()));
  }

  #noteAnswer({ type, nonce, resources, errorDetail }: Answer, { node }: Joined): void {
    if (errorDetail === undefined) return;
    this.#shared.metrics.nacked(type.shortName);
    const names = resources.slice(0, maxNamesLogged).map(({ name }) => name);
    const nack = { type: type.shortName, nonce, count: resources.length, resources: names, reason: errorDetail };
    this.#shared.log.warn({ ...this.#context(node), ...nack }, "NACK");
  }

  /** The fields of every log line about this stream. */
  #context({ id: node }: Node) {
    return { stream: this.#id, node, peer: this.#call.peer, variant: this.#variant };
  }
}

/**
 * State of the world can carry a time to live only inside a wrapper, which a client must know too. Envoy knows both but, as
 * of 1.40, declares neither.
 */
function knowsTtl(variant: Variant, { agent, features = [] }: Node): boolean {
  const needed = ["xds.config.supports-resource-ttl", ...(variant === "sotw" ? ["xds.config.resource-in-sotw"] : [])];
  return agent === "envoy" || needed.every((feature) => features.includes(feature));
}

const formOf = ({ variant, knowsTtl }: Stream): Form => (knowsTtl ? `${variant} with ttl` : variant);
