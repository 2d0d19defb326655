import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { decode } from "xds-proto-ts";
import { ClusterLoadAssignmentSchema } from "xds-proto-ts/envoy/config/endpoint/v3/endpoint";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { eventually } from "../harness/eventually.ts";
import { serve } from "../harness/server-process.ts";

/**
 * Measures how proxies follow a burst of writes, and how long the removal of an endpoint takes during the burst. See
 * bench/README.md.
 */
const clusters = 1_000;
const proxies = 20;
const writes = 10_000;
const connections = 4;
const removals = 10;
const settleLimitMs = 30_000;
const typeUrl = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

/** A delta client that ACKs each response at once and keeps the newest bytes of each resource. */
class ProxyClient {
  readonly newest = new Map<string, Uint8Array>();
  responses = 0;
  onResource: (name: string, body: Uint8Array) => void = () => {};
  readonly #client: Client;
  readonly #call;

  constructor(address: string, nodeId: string, names: readonly string[]) {
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    const asIs = (bytes: Buffer): Buffer => bytes;
    const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
    this.#call = this.#client.makeBidiStreamRequest(method, asIs, asIs);
    this.#call.on("error", () => {}); // to cancel the call is an error too
    this.#call.on("data", (bytes: Buffer) => {
      const { nonce, resources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      this.responses += 1;
      for (const { name, resource } of resources) {
        if (resource === undefined) continue;
        this.newest.set(name, resource.value);
        this.onResource(name, resource.value);
      }
      this.#send({ responseNonce: nonce });
    });
    this.#send({ node: { id: nodeId }, resourceNamesSubscribe: [...names] });
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }

  #send(fields: { responseNonce?: string; node?: { id: string }; resourceNamesSubscribe?: string[] }): void {
    const message = create(DeltaDiscoveryRequestSchema, { typeUrl, ...fields });
    this.#call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message)));
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: connections + 1 });
process.stdout.write(
  "| documents a request | writes a second | responses a proxy | last state after ms | slowest removal ms |\n",
);
process.stdout.write("| --: | --: | --: | --: | --: |\n");
for (const size of [1, 10, 100]) await burst(size);
agent.destroy();

async function burst(documentsARequest: number): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "chancery-burst-"));
  const server = await serve({ dataDir, args: ["--log-level", "warn"] });
  const names = Array.from({ length: clusters }, (_, index) => `c-${index}`);
  const removed = "removed";
  await send("PUT", "mesh", [
    ...[...names, removed].map((name) => ({ kind: "Cluster", name, spec: { eds: {} } })),
    ...[...names, removed].map((name) => endpoints(name, 0, 2)),
  ]);
  const all = Array.from(
    { length: proxies },
    (_, at) => new ProxyClient(server.xds, `proxy-${at}`, [...names, removed]),
  );
  await eventually(() => all.every(({ newest }) => newest.size === clusters + 1), "the first state", settleLimitMs);
  const before = all.map(({ responses }) => responses);

  let next = 0;
  const started = performance.now();
  const writer = async (): Promise<void> => {
    while (next < writes) {
      const first = next;
      next += documentsARequest;
      const set = Array.from({ length: documentsARequest }, (_, at) => version(first + at));
      const [one] = set;
      if (set.length === 1 && one !== undefined) await send("PUT", `endpoints/${one.name}`, { spec: one.spec });
      else await send("POST", "apply", { set });
    }
  };
  let slowest = 0;
  const remover = async (): Promise<void> => {
    for (let n = 1; n <= removals && next < writes; n++) {
      const startedAt = performance.now();
      const removedEverywhere = all.map(
        (proxy) =>
          new Promise<void>((resolve) => {
            proxy.onResource = (name, body) => {
              if (name === removed && hostsOf(body).join() === `10.0.0.${n}`) resolve();
            };
          }),
      );
      await send("PUT", `endpoints/${removed}`, { spec: endpoints(removed, n, 1).spec });
      await Promise.all(removedEverywhere);
      slowest = Math.max(slowest, performance.now() - startedAt);
      await pause(50);
    }
  };
  await Promise.all([...Array.from({ length: connections }, writer), remover()]);
  const took = performance.now() - started;

  const last = new Map(
    Array.from({ length: clusters }, (_, at) => writes - clusters + at).map((n) => [version(n).name, n]),
  );
  const hasLastState = ({ newest }: ProxyClient) => names.every((name) => isAt(newest.get(name), last.get(name) ?? 0));
  await eventually(() => all.every(hasLastState), "the last state on each proxy", settleLimitMs);
  const settledAfter = performance.now() - started - took;
  const responses = Math.max(...all.map((proxy, at) => proxy.responses - (before[at] ?? 0)));
  const rate = (writes / took) * 1000;
  const cells = [documentsARequest, rate.toFixed(0), responses, settledAfter.toFixed(0), slowest.toFixed(0)];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
  for (const proxy of all) proxy.close();
  await server.stop();
  rmSync(dataDir, { recursive: true });

  function send(method: string, what: string, body: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const sent = request(`http://${server.admin}/api/v1/${what}`, { method, agent, headers }, (answer) => {
        answer.resume().once("end", () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`${method} ${what} was answered with ${answer.statusCode}`));
        });
      });
      sent.once("error", reject);
      sent.end(JSON.stringify(body));
    });
  }
}

/** The document that write number n sets. */
function version(n: number) {
  return endpoints(`c-${n % clusters}`, n, 2);
}

function endpoints(name: string, n: number, count: number) {
  const address = `10.0.${n >> 8}.${n & 255}`;
  return {
    kind: "Endpoints",
    name,
    spec: { endpoints: Array.from({ length: count }, (_, at) => ({ address, port: 8000 + at })) },
  };
}

function hostsOf(body: Uint8Array): readonly string[] {
  return decode(ClusterLoadAssignmentSchema, body).endpoints.flatMap(({ lbEndpoints }) =>
    lbEndpoints.map(({ hostIdentifier }) => {
      const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
      return address?.case === "socketAddress" ? address.value.address : "";
    }),
  );
}

function isAt(body: Uint8Array | undefined, n: number): boolean {
  return body !== undefined && hostsOf(body)[0] === `10.0.${n >> 8}.${n & 255}`;
}
