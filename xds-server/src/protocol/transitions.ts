import type { Resource, ResourceSet } from "../resources/snapshot.ts";
import { memo2 } from "./memo.ts";
import { NameSet } from "./name-set.ts";
import { shared } from "./settled.ts";
import { absent, dueAgain, type Held, knownAs, reportedAbsent, type TypeStream } from "./type-stream.ts";
import { deletedNames, type Update } from "./update-due.ts";

/** The stream after this update is sent. The client waits for the `awaited` resources before it answers. */
export const sent = memo2((update: Update, awaited: readonly Resource[]): TypeStream => {
  const { stream, changed, kept, gone, nonce } = update;
  const changes = new Map<string, Held | undefined>();
  for (const resource of changed) {
    for (const name of knownAs(stream, resource)) {
      changes.set(name, { ...stream.held.get(name), sent: resource.version });
    }
  }
  // A subscribed name stays known as absent. A name that only the wildcard covers is forgotten, or `held` would only grow.
  for (const name of gone) changes.set(name, stream.subscription.names.has(name) ? reportedAbsent : undefined);
  return {
    ...stream,
    held: stream.held.with(changes),
    inFlight: { nonce, changed, kept, awaited, removed: new Map(gone.map((name) => [name, stream.held.get(name)])) },
    lastNonce: nonce,
    owed: false,
    comparedWith: update.available,
    unsettled: NameSet.of(update.withheld),
  };
});

/** The stream when nothing is due: what was sent equals `available`, except for deletions that are withheld. */
export const compared = memo2((stream: TypeStream, available: ResourceSet): TypeStream => {
  const unsettled = NameSet.of(deletedNames(stream, available));
  if (stream.comparedWith === available && unsettled.size === 0 && stream.unsettled.size === 0) return stream;
  return shared({ ...stream, comparedWith: available, unsettled });
});

/** The stream after a response makes the client wait for these names again: they count as not sent. */
export const rewarmed = memo2((stream: TypeStream, names: readonly string[]): TypeStream => {
  const due = names.flatMap((name): [string, Held][] => {
    const before = stream.held.get(name);
    return before === undefined || before.sent === absent ? [] : [[name, dueAgain(before)]];
  });
  if (due.length === 0) return stream;
  const unsettled = stream.unsettled.with({ added: due.map(([name]) => name) });
  return { ...stream, held: stream.held.with(due), unsettled };
});
