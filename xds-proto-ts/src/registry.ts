import type { DescMessage } from "@bufbuild/protobuf";
import { messageNames, registry } from "../image.js";

export { messageNames, registry };

/** The schema of the message that a type URL names: "type.googleapis.com/envoy.config.cluster.v3.Cluster". */
export function messageSchema(typeUrl: string): DescMessage | undefined {
  return registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
}
