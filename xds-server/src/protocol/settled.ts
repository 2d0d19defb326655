import type { ResourceSet } from "../resources/snapshot.ts";
import { memo2 } from "./memo.ts";
import type { Subscription } from "./subscription.ts";
import { absent, type TypeStream } from "./type-stream.ts";
import { found } from "./update-due.ts";

/**
 * Makes equal settled streams share one object. A stream is settled when its client holds everything that it wants in the
 * newest version. Streams with different histories share their state again from here, for example when one was slow,
 * rejected a version or opened later.
 */
export function shared(stream: TypeStream): TypeStream {
  const { comparedWith, unsettled, inFlight, owed, mayHoldEarlier, held } = stream;
  if (comparedWith === undefined || inFlight !== undefined || owed || mayHoldEarlier) return stream;
  if (unsettled.size > 0) return stream;
  for (const [name, { sent, accepted }] of held) {
    const resource = found(stream, comparedWith, name);
    if ((resource?.version ?? absent) !== sent || (resource !== undefined && accepted === undefined)) return stream;
  }
  const last = settled(comparedWith, stream.subscription);
  const key = `${stream.variant} ${stream.type.typeUrl}`;
  const known = last.get(key);
  if (known?.lastNonce === stream.lastNonce && known.rejected.isSame(stream.rejected)) return known;
  last.set(key, stream);
  return stream;
}

/** The last settled stream of each variant and type. */
const settled = memo2((_comparedWith: ResourceSet, _subscription: Subscription): Map<string, TypeStream> => new Map());
