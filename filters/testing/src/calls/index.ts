import { bufferCalls } from "./buffers.ts";
import type { Caller, HostCall } from "./caller.ts";
import { foreignCalls } from "./foreign.ts";
import { grpcCalls } from "./grpc.ts";
import { headerCalls } from "./headers.ts";
import { httpCallCalls } from "./http-call.ts";
import { metricCalls } from "./metrics.ts";
import { propertyCalls } from "./properties.ts";
import { rootCalls } from "./root.ts";
import { sharedCalls } from "./shared.ts";
import { streamCalls } from "./stream.ts";

/** The functions that a module may import from "env". */
export function hostCalls(vm: Caller): Readonly<Record<string, HostCall>> {
  return {
    ...rootCalls(vm),
    ...headerCalls(vm),
    ...bufferCalls(vm),
    ...streamCalls(vm),
    ...propertyCalls(vm),
    ...metricCalls(vm),
    ...sharedCalls(vm),
    ...httpCallCalls(vm),
    ...grpcCalls(vm),
    ...foreignCalls(vm),
  };
}
