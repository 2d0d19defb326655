import { CallFault } from "../../grpc/status.ts";
import type { Stream } from "../../protocol/stream-state.ts";
import type { Node } from "../../publishing/snapshot-cache.ts";
import type { Limits } from "../limits.ts";
import { tooManyNames, type WireRequest } from "./requests.ts";

/** The node that a stream's first request must carry. Throws a `CallFault` when there is none, or it says too much. */
export function checkedNode(node: Node | undefined, { maxNameLength, maxNodeLength }: Limits): Node {
  if (node === undefined || node.id === "") {
    throw new CallFault("INVALID_ARGUMENT", "The first request of a stream must carry a node with an id");
  }
  if (node.id.length > maxNameLength || node.cluster.length > maxNameLength) {
    throw new CallFault("INVALID_ARGUMENT", `node.id or node.cluster is over ${maxNameLength} characters`);
  }
  if (JSON.stringify(node).length > maxNodeLength) {
    throw new CallFault("INVALID_ARGUMENT", `The node is described in over ${maxNodeLength} characters`);
  }
  return node;
}

/** Throws a `CallFault` when a request names too much, or what it names is too long. */
export function checkNames({ type, names }: WireRequest, stream: Stream, limits: Limits): void {
  if (names === "unchanged") return;
  const said = "list" in names ? names.list : [...names.added, ...names.removed, ...names.initialVersions.keys()];
  if (said.some((name) => name.length > limits.maxNameLength)) {
    throw new CallFault("INVALID_ARGUMENT", `A resource name is over ${limits.maxNameLength} characters`);
  }
  // State of the world gives the whole list of its type each time; delta adds to what the client named before.
  const known = "list" in names ? undefined : stream.types.get(type.typeUrl)?.subscription.names;
  let subscribed = known?.size ?? 0;
  for (const other of stream.types.values()) if (other.type !== type) subscribed += other.subscription.names.size;
  // Only where the list is long does it matter whether a name is said twice, or was said before.
  if (subscribed + said.length <= limits.maxSubscriptions) return;
  for (const name of new Set(said)) if (!known?.has(name)) subscribed += 1;
  if (subscribed > limits.maxSubscriptions) throw tooManyNames(limits.maxSubscriptions);
}
