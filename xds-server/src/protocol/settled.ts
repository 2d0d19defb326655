import type { ResourceSet } from "../resources/snapshot.ts";
import { memo2 } from "./memo.ts";
import type { Subscription } from "./subscription.ts";
import { absent, type TypeStream } from "./type-stream.ts";
import { found } from "./update-due.ts";

/**
 * A stream that holds all that it wants in its newest version is the same object as every other that does. Ways that
 * differed, because one was slow, rejected something or came later, meet here again.
 */
export function shared(stream: TypeStream): TypeStream {
  const { level, doubtful, inFlight, owed, mayHoldEarlier, held } = stream;
  if (level === undefined || inFlight !== undefined || owed || mayHoldEarlier) return stream;
  if (doubtful.size > 0) return stream;
  for (const [name, { sent, accepted }] of held) {
    const resource = found(stream, level, name);
    if ((resource?.version ?? absent) !== sent || (resource !== undefined && accepted === undefined)) return stream;
  }
  const last = settled(level, stream.subscription);
  const key = `${stream.variant} ${stream.type.typeUrl}`;
  const known = last.get(key);
  if (known?.lastNonce === stream.lastNonce && known.rejected.isSame(stream.rejected)) return known;
  last.set(key, stream);
  return stream;
}

/** The last one of each variant and type. */
const settled = memo2((_level: ResourceSet, _subscription: Subscription): Map<string, TypeStream> => new Map());
