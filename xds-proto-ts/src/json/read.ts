import { type DescMessage, fromJson, type MessageShape } from "@bufbuild/protobuf";
import { registry } from "../registry.ts";
import { type JsonIssue, JsonReader } from "./reader.ts";

export type JsonReading<S extends DescMessage> =
  | { readonly ok: true; readonly message: MessageShape<S> }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

/**
 * Reads a message from its JSON form, as YAML and JSON parsers return it, or reports all its faults. Field names may be
 * in snake case, as in Envoy's documentation, or in camel case.
 */
export function readJson<S extends DescMessage>(schema: S, json: unknown): JsonReading<S> {
  const reader = new JsonReader();
  const ordered = reader.message(schema, json, { within: undefined, key: "", depth: 1, secret: false });
  if (reader.issues.length > 0) return { ok: false, issues: reader.issues };
  try {
    return { ok: true, message: fromJson(schema, ordered, { registry }) };
  } catch (error) {
    // This is rare: only the library rejects two spellings of one key in a map whose keys are numbers.
    return { ok: false, issues: [{ path: "", message: error instanceof Error ? error.message : String(error) }] };
  }
}
