import { fromBinary, isMessage } from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { messageSchema } from "xds-proto-ts";
import type { Cluster } from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import { SdsSecretConfigSchema } from "xds-proto-ts/envoy/extensions/transport_sockets/tls/v3/secret";

/**
 * The names of the secrets that a cluster gets by SDS. Envoy warms the cluster until it has them, and ACKs the cluster
 * only then. Listeners wait for their secrets too, but Envoy ACKs a listener before that.
 */
export function awaitedSecrets({ transportSocket, transportSocketMatches }: Cluster): readonly string[] {
  const names = new Set<string>();
  for (const socket of [transportSocket, ...transportSocketMatches.map((match) => match.transportSocket)]) {
    if (socket?.configType.value !== undefined) findInAny(socket.configType.value, names);
  }
  return [...names];
}

function findInAny({ typeUrl, value }: Any, names: Set<string>): void {
  const schema = messageSchema(typeUrl);
  if (schema !== undefined) find(reflect(schema, fromBinary(schema, value), false), names);
}

function find(message: ReflectMessage, names: Set<string>): void {
  const { message: plain } = message;
  if (isMessage(plain, AnySchema)) findInAny(plain, names);
  else if (!isMessage(plain, SdsSecretConfigSchema)) findInFields(message, names);
  else if (plain.sdsConfig !== undefined) names.add(plain.name);
}

function findInFields(message: ReflectMessage, names: Set<string>): void {
  for (const field of message.fields) {
    if (field.message === undefined || !message.isSet(field)) continue;
    const value = message.get(field);
    const items = field.fieldKind === "message" ? [value] : (value as ReflectList | ReflectMap).values();
    for (const item of items) find(item as ReflectMessage, names);
  }
}
