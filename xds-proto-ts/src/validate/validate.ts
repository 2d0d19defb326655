import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { messageChecks, type Violation } from "./message-checks.ts";

/**
 * Checks a message by Envoy's own rules (protoc-gen-validate, in the .proto files), also inside each Any of a known
 * type. Returns all violations. Envoy may still reject a message without violations, because it checks more than these
 * rules.
 */
export function validate<S extends DescMessage>(schema: S, message: MessageShape<S>): readonly Violation[] {
  const found: Violation[] = [];
  messageChecks(schema)(reflect(schema, message, false), { within: undefined, key: "", anyDepth: 0 }, found);
  return found;
}
