import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { messageChecks, type Violation } from "./message-checks.ts";

/**
 * All that Envoy's own rules (protoc-gen-validate, in the .proto files) refuse in a message, also inside each Any of a known
 * type. Empty when Envoy would take it so far; what only a running Envoy can tell is not in these rules.
 */
export function validate<S extends DescMessage>(schema: S, message: MessageShape<S>): readonly Violation[] {
  const found: Violation[] = [];
  messageChecks(schema)(reflect(schema, message, false), { within: undefined, key: "", anyDepth: 0 }, found);
  return found;
}
