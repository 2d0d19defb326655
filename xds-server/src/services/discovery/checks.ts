import { CallFault } from "../../grpc/status.ts";
import type { Node } from "../../model/node.ts";
import type { Stream } from "../../protocol/stream-state.ts";
import type { Limits } from "../limits.ts";
import { tooManyNames, type WireRequest } from "./requests.ts";

/** The node that a stream's first request must carry. Throws a `CallFault` when it is missing or too large. */
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

/** Throws a `CallFault` when a request has too many names, or a name that is too long. */
export function checkNames({ type, names }: WireRequest, stream: Stream, limits: Limits): void {
  if (names === "unchanged") return;
  const said = "list" in names ? names.list : [...names.added, ...names.removed, ...names.initialVersions.keys()];
  if (said.some((name) => name.length > limits.maxNameLength)) {
    throw new CallFault("INVALID_ARGUMENT", `A resource name is over ${limits.maxNameLength} characters`);
  }
  // SotW sends the whole list of its type each time; delta adds to the names of earlier requests.
  const known = "list" in names ? undefined : stream.types.get(type.typeUrl)?.subscription.names;
  let subscribed = known?.size ?? 0;
  for (const other of stream.types.values()) if (other.type !== type) subscribed += other.subscription.names.size;
  // Repeated names matter only near the limit: there, each distinct name counts once.
  if (subscribed + said.length <= limits.maxSubscriptions) return;
  for (const name of new Set(said)) if (!known?.has(name)) subscribed += 1;
  if (subscribed > limits.maxSubscriptions) throw tooManyNames(limits.maxSubscriptions);
}
