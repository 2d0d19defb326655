import { create } from "@bufbuild/protobuf";
import { type Any, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { messageSchema, packAny } from "xds-proto-ts";
import { ClientResourceStatus } from "xds-proto-ts/envoy/admin/v3/config_dump_shared";
import {
  ConfigStatus,
  type ClientConfig_GenericXdsConfig as ResourceConfig,
  ClientConfig_GenericXdsConfigSchema as ResourceConfigSchema,
} from "xds-proto-ts/envoy/service/status/v3/csds";
import type { ProxyStatus, ResourceStatus } from "../../proxy-status/proxy-status.ts";
import type { TypeUrl } from "../../resources/resource-types.ts";
import { type Resource, resourcesOf, type Snapshot } from "../../resources/snapshot.ts";
import { withoutSecrets } from "../../resources/without-secrets.ts";

export interface ClientConfigOptions {
  readonly proxy: ProxyStatus;
  /** The resources that the proxy should hold. */
  readonly snapshot: Snapshot;
  /** When a resource was published, in milliseconds since the epoch. Undefined when that is not known. */
  readonly publishedAt: (resource: Resource) => number | undefined;
  readonly excludeContents: boolean;
}

/** The status of each resource of one proxy, as messages of client status discovery (CSDS). */
export function* resourceConfigs(options: ClientConfigOptions): Generator<ResourceConfig> {
  const { proxy, snapshot, publishedAt, excludeContents } = options;
  const listed = new Set<string>();
  // A proxy that reconnects has two streams for a short time. The newest one comes first here, so it counts.
  for (const { typeUrl, resources } of proxy.streams.toReversed().flatMap(({ types }) => types)) {
    const newest = resourcesOf(snapshot, typeUrl);
    for (const status of resources) {
      const key = `${typeUrl} ${status.name}`;
      if (listed.has(key)) continue;
      listed.add(key);
      const resource = newest.get(status.name);
      const config = resourceConfig(typeUrl, status);
      const at = resource && publishedAt(resource);
      if (at !== undefined) config.lastUpdated = timestampFromMs(at);
      if (!excludeContents && resource !== undefined) config.xdsConfig = contentOf(resource);
      yield config;
    }
  }
}

function resourceConfig(typeUrl: TypeUrl, status: ResourceStatus): ResourceConfig {
  const { name, wanted, sent, rejection } = status;
  return create(ResourceConfigSchema, {
    typeUrl,
    name,
    versionInfo: sent ?? wanted ?? "",
    configStatus: configStatus(status),
    clientStatus: clientStatus(status),
    ...(rejection === undefined
      ? {}
      : {
          errorState: {
            versionInfo: rejection.version,
            details: rejection.reason,
            lastUpdateAttempt: timestampFromMs(rejection.at),
          },
        }),
  });
}

/** The server's status of the newest version: sent, accepted or rejected. */
function configStatus({ state, wanted, sent }: ResourceStatus): ConfigStatus {
  if (state === "rejected") return ConfigStatus.ERROR;
  if (state === "synced") return ConfigStatus.SYNCED;
  return wanted === sent ? ConfigStatus.STALE : ConfigStatus.NOT_SENT;
}

/** The proxy's status of the resource, as far as its answers show. */
function clientStatus({ state, wanted, sent, accepted }: ResourceStatus): ClientResourceStatus {
  if (state === "rejected") return ClientResourceStatus.NACKED;
  if (accepted !== undefined || (sent !== undefined && state === "synced")) return ClientResourceStatus.ACKED;
  return wanted === undefined && state === "synced"
    ? ClientResourceStatus.DOES_NOT_EXIST
    : ClientResourceStatus.REQUESTED;
}

const contents = new WeakMap<Resource, Any>();

/** The content of a resource without its secrets. It is made once for all requests. */
function contentOf(resource: Resource): Any {
  const known = contents.get(resource);
  if (known !== undefined) return known;
  const schema = messageSchema(resource.typeUrl);
  if (schema === undefined) throw new Error(`The API has no message ${resource.typeUrl}`);
  const content = packAny(schema, withoutSecrets(schema, resource.body));
  // Most resources have no secret. Then the bytes are shared, because a Wasm module may have megabytes.
  if (Buffer.compare(content.value, resource.body) === 0) content.value = resource.body;
  contents.set(resource, content);
  return content;
}
