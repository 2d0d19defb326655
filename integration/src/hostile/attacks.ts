import { gzipSync } from "node:zlib";
import type { JsonValue } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { LoadStatsRequestSchema } from "xds-proto-ts/envoy/service/load_stats/v3/lrs";
import { ClientStatusRequestSchema } from "xds-proto-ts/envoy/service/status/v3/csds";
import { pathOf, type TypeName, typesIn, typeUrlOf, type Variant } from "../conformance/resources.ts";
import { Choices } from "../harness/random-choices.ts";
import { encoded, extremes, framed, mutated, oddName, openGroups, wildProtobuf } from "./messages.ts";

/** What a hostile client does: a gRPC call on a shared connection, or bytes on a connection of its own, maybe not HTTP/2. */
export type Attack = CallAttack | ConnectionAttack;

export interface CallAttack {
  readonly on: "call";
  readonly path: string;
  /** The variant of the responses, when the call is a discovery stream. */
  readonly variant: Variant;
  /** The header `grpc-encoding`. */
  readonly encoding: string;
  readonly frames: readonly Frame[];
  /** Where the bytes of a frame are split into pieces. */
  readonly cut: "nowhere" | "once" | "everywhere";
  readonly end: "half-close" | "reset";
}

export interface ConnectionAttack {
  readonly on: "connection";
  readonly frames: readonly Buffer[];
}

/** Makes a gRPC frame. It may answer the last response. */
export type Frame = (last: LastResponse) => Buffer;

/** The last response of the server in this call. */
export interface LastResponse {
  readonly nonce: string;
  readonly version: string;
}

/** The attack with this number, by the seed. */
export function randomAttack(seed: number, id: number): Attack {
  const choose = new Choices(seed * 1_000_003 + id);
  return choose.chance(0.1) ? connectionAttack(choose) : callAttack(choose);
}

type MakeFrame = (isFirst: boolean) => Frame;

const aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const loads = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";
const status = "/envoy.service.status.v3.ClientStatusDiscoveryService";
const noMethods = ["/", "/a/b", `${aggregated}/FetchAggregatedResources`, `/${"p".repeat(3_000)}`];

function callAttack(choose: Choices): CallAttack {
  const variant = choose.one(["sotw", "delta"]);
  const discovery =
    (only?: TypeName): MakeFrame =>
    (isFirst) =>
      discoveryFrame(choose, { variant, only, isFirst });
  const ads = `${aggregated}/${variant === "sotw" ? "Stream" : "Delta"}AggregatedResources`;
  const type = choose.one(typesIn(variant));
  const [path, makeFrame] = choose.weighted<[string, MakeFrame]>(
    [60, () => [ads, discovery()]],
    [20, () => [pathOf(type, variant), discovery(type)]],
    [10, () => [loads, () => always(loadReport(choose))]],
    [
      3,
      () => [
        `${status}/${choose.one(["StreamClientStatus", "FetchClientStatus"])}`,
        () => always(statusRequest(choose)),
      ],
    ],
    [1, () => [choose.one(noMethods), discovery()]],
  );
  // Garbage comes first, or after valid frames that take it further into the server.
  const length = choose.chance(0.3) ? 0 : 1 + choose.below(24);
  const valid = Array.from({ length }, (_, index) => makeFrame(index === 0));
  const isGarbageLast = length === 0 || choose.chance(0.3);
  return {
    on: "call",
    path,
    variant,
    encoding: choose.weighted([20, () => "identity"], [10, () => "gzip"], [1, () => "br"]),
    frames: isGarbageLast ? [...valid, garbage(choose, makeFrame, variant)] : valid,
    cut: choose.weighted<CallAttack["cut"]>([80, () => "nowhere"], [20, () => "once"], [1, () => "everywhere"]),
    end: choose.one(["half-close", "half-close", "reset"]),
  };
}

const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024));

function garbage(choose: Choices, makeFrame: MakeFrame, variant: Variant): Frame {
  return choose.weighted<Frame>(
    [30, () => always(choose.bytes(choose.below(2_000)))],
    [30, () => always(wildProtobuf(choose))],
    [40, () => always(mutated(makeFrame(true)(noResponse).subarray(5), choose))],
    [20, () => always(choose.bytes(choose.below(200)), { flag: choose.below(256) })],
    [10, () => always(choose.bytes(choose.below(200)), { length: choose.one([1, 2 ** 20, 2 ** 25, 2 ** 32 - 1]) })],
    [10, () => always(choose.chance(0.1) ? bomb : gzipSync(wildProtobuf(choose)), { flag: 1 })],
    [10, () => always(openGroups.subarray(choose.below(openGroups.length)))],
    [0.3, () => always(choose.one(extremes[variant]))],
  );
}

const noResponse: LastResponse = { nonce: "", version: "" };

function always(message: Uint8Array, head: Parameters<typeof framed>[1] = {}): Frame {
  const frame = framed(message, head);
  return () => frame;
}

const versions = ["", "0", "1", "-1", "18446744073709551616", "v".repeat(10_000)];
const urls = [
  "",
  "type.googleapis.com/",
  "type.googleapis.com/no.Such",
  "envoy.config.cluster.v3.Cluster",
  "u".repeat(5_000),
];

/** A well-formed request whose fields may have wrong values. */
function discoveryFrame(
  choose: Choices,
  { variant, only, isFirst }: { variant: Variant; only: TypeName | undefined; isFirst: boolean },
): Frame {
  const nonce = choose.chance(0.3) ? choose.one(versions) : undefined;
  const version = choose.chance(0.3) ? choose.one(versions) : undefined;
  const list = (limit: number) => choose.some(choose.chance(0.01) ? 500 : limit, () => oddName(choose));
  const common = {
    typeUrl: choose.chance(0.02) ? choose.one(urls) : typeUrlOf(only ?? choose.one(typesIn(variant))),
    ...(choose.chance(isFirst ? 0.95 : 0.05) ? { node: oddNode(choose) } : {}),
    ...(choose.chance(0.2) ? { errorDetail: { code: choose.below(2 ** 31), message: oddName(choose) } } : {}),
  };
  if (variant === "sotw") {
    const fields = { ...common, resourceNames: list(5) };
    return (last) =>
      framed(
        encoded(DiscoveryRequestSchema, {
          ...fields,
          responseNonce: nonce ?? last.nonce,
          versionInfo: version ?? last.version,
        }),
      );
  }
  const fields = {
    ...common,
    resourceNamesSubscribe: list(4),
    resourceNamesUnsubscribe: list(2),
    initialResourceVersions: Object.fromEntries(list(4).map((name) => [name, choose.one(versions)])),
  };
  return (last) => framed(encoded(DeltaDiscoveryRequestSchema, { ...fields, responseNonce: nonce ?? last.nonce }));
}

const odd: readonly JsonValue[] = [null, 1e308, "x", { deep: [[[[]]]] }, "m".repeat(1_000)];

function oddNode(choose: Choices) {
  const features = [oddName(choose), "xds.config.resource-in-sotw", "xds.config.supports-resource-ttl"];
  return {
    id: choose.chance(0.9) ? `hostile-${choose.below(50)}` : oddName(choose),
    cluster: oddName(choose),
    metadata: { [oddName(choose)]: choose.one(odd) },
    locality: { region: oddName(choose) },
    clientFeatures: features.slice(choose.below(4)),
  };
}

function loadReport(choose: Choices): Uint8Array {
  const count = () => choose.one([0n, 1n, 2n ** 53n, 2n ** 64n - 1n]);
  const locality = () => ({
    locality: { region: oddName(choose) },
    totalIssuedRequests: count(),
    totalErrorRequests: count(),
    loadMetricStats: [{ metricName: oddName(choose), totalMetricValue: choose.one([Number.NaN, Infinity, -1]) }],
  });
  const cluster = () => ({
    clusterName: oddName(choose),
    totalDroppedRequests: count(),
    loadReportInterval: { seconds: choose.one([-1n, 0n, 10n, 2n ** 62n]), nanos: choose.below(2 ** 31) },
    upstreamLocalityStats: choose.some(3, locality),
  });
  return encoded(LoadStatsRequestSchema, { node: oddNode(choose), clusterStats: choose.some(4, cluster) });
}

const patterns = ["(a+)+$", "(", "[", "\\C", ".*".repeat(10_000), "((a{30}){30}){30}", "(?i)\\pL{999}", ".*"];

function statusRequest(choose: Choices): Uint8Array {
  const matcher = () => ({
    nodeId: { matchPattern: { case: "safeRegex" as const, value: { regex: choose.one(patterns) } } },
  });
  const excludeResourceContents = choose.chance(0.5);
  return encoded(ClientStatusRequestSchema, { nodeMatchers: choose.some(3, matcher), excludeResourceContents });
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** The payload length in bytes of each HTTP/2 frame type, by its number; -1: it varies. HTTP/2 lacks the last two types. */
const payloadLengths = [-1, -1, 5, 4, -1, -1, 8, -1, 4, -1, -1, -1];

function connectionAttack(choose: Choices): ConnectionAttack {
  const start = choose.chance(0.2) ? choose.bytes(1 + choose.below(200)) : preface;
  return { on: "connection", frames: [start, ...choose.some(20, () => http2Frame(choose))] };
}

function http2Frame(choose: Choices): Buffer {
  const kind = choose.below(payloadLengths.length);
  const right = payloadLengths[kind] ?? -1;
  const payload = choose.bytes(right === -1 || choose.chance(0.1) ? choose.below(100) : right);
  const head = Buffer.alloc(9);
  head.writeUIntBE(choose.chance(0.03) ? choose.below(2 ** 24) : payload.length, 0, 3);
  head[3] = kind;
  head[4] = choose.chance(0.5) ? 0 : choose.below(256);
  head.writeUInt32BE(choose.one([0, 0, 1, 2, 3, 2 ** 31 - 1]), 5);
  return Buffer.concat([head, payload]);
}
