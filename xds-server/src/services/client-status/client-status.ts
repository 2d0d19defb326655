import { type Call, type Method, type Methods, sharedMessage } from "../../grpc/call.ts";
import { CallFault } from "../../grpc/status.ts";
import { type Caller, type ReaderOptions, readableNodes } from "./client-status-readers.ts";

const service = "/envoy.service.status.v3.ClientStatusDiscoveryService";

/** Answers an encoded request with the parts of an encoded `ClientStatusResponse`. Rejects with a `CallFault`. */
export type AnswerClientStatus = (request: Buffer, caller: Caller) => Promise<readonly Uint8Array[]>;

export interface ClientStatusDeps {
  readonly readers: ReaderOptions;
  readonly answer: AnswerClientStatus;
}

/** The methods of client status discovery (CSDS): which proxy holds or rejects which version, and why. For gRPC tools. */
export function clientStatusMethods({ readers, answer }: ClientStatusDeps): Methods {
  const served =
    (takesMany: boolean): Method =>
    (call) => {
      // Throws for a client that may read no proxy, before any message is read.
      readableNodes(call, readers);
      return answering(call, { answer, takesMany });
    };
  return new Map([
    [`${service}/StreamClientStatus`, served(true)],
    [`${service}/FetchClientStatus`, served(false)],
  ]);
}

/** Answers each request before it reads the next one. */
function answering(
  call: Call,
  { answer, takesMany }: { answer: AnswerClientStatus; takesMany: boolean },
): ReturnType<Method> {
  let requests = 0;
  return {
    onMessage(bytes) {
      requests += 1;
      if (requests > 1 && !takesMany) throw new CallFault("INVALID_ARGUMENT", "This method takes one message only");
      call.pause();
      answer(Buffer.from(bytes), call).then(
        (parts) =>
          call.run(() => {
            if (call.send(sharedMessage("client status response", parts))) call.resume();
          }),
        (error: unknown) =>
          call.run(() => {
            throw error;
          }),
      );
    },
    onDrain: () => call.resume(),
    onHalfClose() {
      if (requests === 0 && !takesMany)
        throw new CallFault("INVALID_ARGUMENT", "This method takes one message, and got none");
      call.end();
    },
    onClose() {},
  };
}
