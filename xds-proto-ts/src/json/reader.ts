import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { byKey } from "../key-order.ts";
import { type Path, pathText, shortened } from "../path.ts";
import { messageNames, registry } from "../registry.ts";
import { knownFields } from "./known-fields.ts";
import { enumFault, hasOwnJson, isLeafMessage, kindOf, type LeafFault, leafMessageFault, scalarFault } from "./leaf.ts";
import { nearest } from "./nearest.ts";

/** One fault of a JSON value that should be a message. */
export interface JsonIssue {
  /** The path, with the keys as the JSON spells them: `filter_chains[0].filters[1].typed_config.@type`. */
  readonly path: string;
  readonly message: string;
  /** The value, shortened. Absent for a value with parts, and for secrets. */
  readonly found?: string;
  /** What to do: `did you mean "issuer"?`. */
  readonly hint?: string;
}

/** The limit of the library and of Envoy. */
const maxDepth = 100;
const maxIssues = 1000;

export interface Place extends Path {
  readonly depth: number;
  /** True inside a field whose value must not be shown. */
  readonly secret: boolean;
}

/** Collects the issues of a value, and returns the value with sorted keys of maps and Structs. */
export class JsonReader {
  readonly issues: JsonIssue[] = [];

  message(schema: DescMessage, json: unknown, at: Place): JsonValue {
    if (at.depth > maxDepth) return this.#report(at, { message: `nested more than ${maxDepth} levels deep` });
    if (isLeafMessage(schema)) return this.#leaf(leafMessageFault(schema, json), json, at);
    switch (schema.typeName) {
      case "google.protobuf.Any":
        return this.#any(json, at);
      case "google.protobuf.Struct":
        return isObject(json) ? this.#plainJson(json, at) : this.#unexpected("an object", json, at);
      case "google.protobuf.ListValue":
        return Array.isArray(json) ? this.#plainJson(json, at) : this.#unexpected("a list", json, at);
      case "google.protobuf.Value":
        return this.#plainJson(json, at);
      default:
        return isObject(json)
          ? this.#fields(schema, Object.entries(json), at)
          : this.#unexpected(`an object (${schema.typeName})`, json, at);
    }
  }

  #fields(schema: DescMessage, entries: readonly (readonly [string, unknown])[], at: Place): JsonObject {
    const known = knownFields(schema);
    const keyOf = new Map<object, string>();
    const result: JsonObject = {};
    for (const [key, value] of entries) {
      const here = inside(at, key);
      const found = known.byKey.get(key);
      if (found === undefined) {
        const message = `unknown field "${shortened(key, 100)}" in ${schema.typeName}`;
        this.#report(here, { message, hint: didYouMean(nearest(key, known.names)) });
        continue;
      }
      const { field, secret } = found;
      const twin = keyOf.get(field);
      if (twin !== undefined) {
        this.#report(here, { message: `the same field as "${twin}"`, hint: "keep one of the two spellings" });
        continue;
      }
      keyOf.set(field, key);
      if (value === null && !takesNull(field)) continue;
      const rival = field.oneof && keyOf.get(field.oneof);
      if (field.oneof && rival !== undefined) {
        this.#report(here, { message: `excludes "${rival}": only one of ${memberNames(field)} can be set` });
        continue;
      }
      if (field.oneof) keyOf.set(field.oneof, key);
      result[key] = this.#field(field, value, secret ? { ...here, secret } : here);
    }
    return result;
  }

  #field(field: DescField, json: unknown, at: Place): JsonValue {
    switch (field.fieldKind) {
      case "list":
        if (!Array.isArray(json)) return this.#unexpected("a list", json, at, "put it in a list");
        return json.map((item, index) => this.#value(field, item, inside(at, index)));
      case "map":
        if (!isObject(json)) return this.#unexpected("an object", json, at);
        return fromEntries(json, (key, item) => this.#mapEntry(field, key, item, at));
      default:
        return this.#value(field, json, at);
    }
  }

  #mapEntry(field: DescField & { fieldKind: "map" }, key: string, json: unknown, at: Place): JsonValue {
    const here = inside(at, key);
    // All keys in JSON are strings. The library parses them when the map's keys are numbers.
    const fault = scalarFault(field.mapKey, key);
    if (fault) this.#report(here, { message: `as a key, ${fault.message}` });
    return this.#value(field, json, here);
  }

  #value(field: DescField, json: unknown, at: Place): JsonValue {
    if (field.message) return this.message(field.message, json, deeper(at));
    if (field.enum) {
      if (field.enum.typeName === "google.protobuf.NullValue" && json === null) return null;
      return this.#leaf(enumFault(field.enum, json), json, at);
    }
    return field.scalar === undefined ? null : this.#leaf(scalarFault(field.scalar, json), json, at);
  }

  #any(json: unknown, at: Place): JsonValue {
    if (!isObject(json)) return this.#unexpected('an object with "@type"', json, at);
    const { "@type": type, value, ...others } = json;
    const entries = Object.entries(json).filter(([key]) => key !== "@type");
    if (type === undefined && entries.length === 0) return {};
    const here = inside(at, "@type");
    if (type === undefined) return this.#report(here, { message: 'missing "@type"' });
    if (typeof type !== "string") return this.#unexpected("a string", type, here);
    const name = type.slice(type.lastIndexOf("/") + 1);
    const schema = registry.getMessage(name);
    if (schema === undefined || !type.includes("/")) {
      const meant = schema?.typeName ?? nearestType(name);
      const hint = didYouMean(meant && `type.googleapis.com/${meant}`);
      return this.#leaf({ message: schema ? 'expected a "/" before the name' : "unknown type", hint }, type, here);
    }
    if (!hasOwnJson(schema)) {
      return { "@type": type, ...this.#fields(schema, entries, deeper(at)) };
    }
    for (const key of Object.keys(others)) {
      const message = `unknown field "${shortened(key, 100)}" beside "@type" and "value"`;
      this.#report(inside(at, key), { message });
    }
    return { "@type": type, value: this.message(schema, value, deeper(inside(at, "value"))) };
  }

  #plainJson(json: unknown, at: Place): JsonValue {
    if (at.depth > maxDepth) return this.#report(at, { message: `nested more than ${maxDepth} levels deep` });
    if (Array.isArray(json)) {
      return json.map((item, index) => this.#plainJson(item, deeper(inside(at, index))));
    }
    if (isObject(json)) {
      return fromEntries(json, (key, item) => this.#plainJson(item, deeper(inside(at, key))));
    }
    if (json === null || typeof json === "string" || typeof json === "boolean") return json;
    if (typeof json === "number" && Number.isFinite(json)) return json;
    return this.#unexpected("a JSON value", json, at);
  }

  #unexpected(wanted: string, json: unknown, at: Place, hint?: string): JsonValue {
    return this.#leaf({ message: `expected ${wanted}, got ${kindOf(json)}`, hint }, json, at);
  }

  /** Returns the value unchanged, and reports its fault if it has one. */
  #leaf(fault: LeafFault | undefined, json: unknown, at: Place): JsonValue {
    if (fault === undefined) return json as JsonValue;
    // A hint may contain the value too.
    if (at.secret) return this.#report(at, { message: fault.message });
    return this.#report(at, fault, shownValue(json));
  }

  /** Adds an issue. Returns null as the value, because the result is not used when there are issues. */
  #report(at: Place, { message, hint }: LeafFault, found?: string): null {
    if (this.issues.length === maxIssues)
      this.issues.push({ path: "", message: "there are more faults, which are not listed" });
    if (this.issues.length > maxIssues) return null;
    const path = pathText(at);
    this.issues.push({ path, message, ...(found !== undefined && { found }), ...(hint !== undefined && { hint }) });
    return null;
  }
}

function inside(at: Place, key: string | number): Place {
  return { within: at, key, depth: at.depth, secret: at.secret };
}

function deeper(at: Place): Place {
  return { within: at.within, key: at.key, depth: at.depth + 1, secret: at.secret };
}

function takesNull(field: DescField): boolean {
  const type = field.message ?? field.enum;
  return type?.typeName === "google.protobuf.Value" || type?.typeName === "google.protobuf.NullValue";
}

function memberNames(field: DescField): string {
  return (field.oneof?.fields ?? []).map((member) => member.name).join(", ");
}

/**
 * The type with the most similar name, or the only type with this name in another package: extensions move between
 * packages.
 */
function nearestType(name: string): string | undefined {
  const near = nearest(name, messageNames);
  if (near !== undefined) return near;
  const ending = `.${name.slice(name.lastIndexOf(".") + 1)}`;
  const sameEnding = messageNames.filter((each) => each.endsWith(ending));
  return sameEnding.length === 1 ? sameEnding[0] : undefined;
}

function didYouMean(name: string | undefined): string | undefined {
  return name === undefined ? undefined : `did you mean "${name}"?`;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function fromEntries(json: Readonly<Record<string, unknown>>, each: (key: string, value: unknown) => JsonValue) {
  const entries = Object.entries(json).sort(byKey);
  return Object.fromEntries(entries.map(([key, value]) => [key, each(key, value)]));
}

/** A plain value as JSON, shortened; undefined for a value with parts. */
function shownValue(json: unknown): string | undefined {
  if (typeof json === "string") return JSON.stringify(shortened(json, 100));
  return typeof json === "number" || typeof json === "boolean" ? String(json) : undefined;
}
