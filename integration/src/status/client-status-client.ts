import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type ChannelCredentials, Client, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
} from "xds-proto-ts/envoy/service/status/v3/csds";
import type { TestMesh } from "../harness/test-mesh.ts";

type Request = MessageInitShape<typeof ClientStatusRequestSchema>;

/** Requests client status from a server, over a new connection. */
export function clientStatus(
  { host, port }: TestMesh["xds"],
  request: Request,
  channel: ChannelCredentials = credentials.createInsecure(),
): Promise<ClientStatusResponse> {
  const client = new Client(`${host}:${port}`, channel, { "grpc.ssl_target_name_override": "xds.test" });
  const method = "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";
  const write = (message: Request) =>
    Buffer.from(toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema, message)));
  const read = (bytes: Buffer) => fromBinary(ClientStatusResponseSchema, bytes);
  return new Promise<ClientStatusResponse>((resolve, reject) => {
    client.makeUnaryRequest(method, write, read, request, (error: ServiceError | null, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error);
    });
  }).finally(() => client.close());
}
