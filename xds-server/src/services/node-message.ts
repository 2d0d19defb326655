import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  type Locality as LocalityMessage,
  type Node as NodeMessage,
  NodeSchema,
} from "xds-proto-ts/envoy/config/core/v3/base";
import type { Locality, Node } from "../model/node.ts";

/** The fields of a node message that the server keeps. */
export function nodeOf(message: NodeMessage): Node {
  const { id, cluster, locality, metadata, userAgentVersionType: agent, clientFeatures, userAgentName } = message;
  const semantic = agent.case === "userAgentBuildVersion" ? agent.value.version : undefined;
  const version =
    agent.case === "userAgentVersion"
      ? agent.value
      : semantic && `${semantic.majorNumber}.${semantic.minorNumber}.${semantic.patch}`;
  return {
    id,
    cluster,
    metadata: (metadata ?? {}) as JsonObject,
    locality: localityOf(locality),
    ...(version === undefined ? {} : { version }),
    ...(userAgentName === "" ? {} : { agent: userAgentName }),
    ...(clientFeatures.length === 0 ? {} : { features: clientFeatures }),
  };
}

export function localityOf(message: LocalityMessage | undefined): Locality {
  const { region = "", zone = "", subZone = "" } = message ?? {};
  return { region, zone, subZone };
}

/** The node that a proxy sent, as a message. Only the fields that the server keeps. */
export function nodeMessage({ id, cluster, metadata, locality, version }: Node): NodeMessage {
  return create(NodeSchema, {
    id,
    cluster,
    metadata: metadata as JsonObject,
    locality,
    ...(version === undefined ? {} : { userAgentVersionType: { case: "userAgentVersion", value: version } }),
  });
}
