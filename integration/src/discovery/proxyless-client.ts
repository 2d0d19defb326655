/**
 * A gRPC client without a proxy. It makes a call for each line of its input, and prints the response or the error. Its xDS
 * client lives as long as the process.
 */
import { createInterface } from "node:readline";
import { Client, credentials } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";

const asIs = (bytes: Buffer): Buffer => bytes;
const [target = "", method = ""] = process.argv.slice(2);

register();
const client = new Client(target, credentials.createInsecure());
for await (const _ of createInterface(process.stdin)) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const deadline = Date.now() + 5_000;
  client.makeUnaryRequest(method, asIs, asIs, Buffer.alloc(0), { deadline }, (error, bytes) =>
    resolve(error === null ? String(bytes) : error.message.replaceAll("\n", " ")),
  );
  console.log(await promise);
}
process.exit();
