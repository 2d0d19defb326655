import type { Method } from "../../grpc/call.ts";
import type { Turns } from "../../process/turns.ts";
import { countByName } from "./count-by-name.ts";
import { DiscoveryStream } from "./discovery-stream.ts";
import { fanOut } from "./fan-out.ts";
import type { DiscoveryDeps, MethodOptions, SharedByStreams } from "./stream-deps.ts";
import { responseWriter } from "./wire.ts";

/** The streaming methods of all discovery services. */
export interface Discovery {
  method(options: MethodOptions): Method;
  close(): void;
}

export function discovery(deps: DiscoveryDeps, turns: Turns): Discovery {
  let lastId = deps.firstStream - 1;
  const nextId = (): number => {
    lastId += 1;
    return lastId;
  };
  const publications = fanOut(deps.cache, turns);
  const write = responseWriter(deps.identifier);
  const shared: SharedByStreams = { ...deps, publications, write, streamsOfNodes: countByName(), nextId };
  return {
    method: (options) => (call) => new DiscoveryStream(call, options, shared),
    close: () => publications.close(),
  };
}
