import { JsonValue, lowerCase, readRequestMatch, readRuleName } from "@chancery/filter-sdk";
import { BUCKETS_IN_SET, Buckets } from "./buckets";
import { ClientAddressPart, HeaderPart, KeyPart, PathSegmentPart, PropertyPart } from "./key";
import { Limit, Secret } from "./limit";
import { Rate } from "./rate";

const MOST: i32 = 1_000_000;
const LONGEST_PER: u64 = 24 * 3600 * 1_000_000;

@final
export class Limits {
  all: Limit[] = [];
  /** True when answers to requests that pass also report the state of the limits. */
  reportsAll: bool = false;
}

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readLimits(json: JsonValue, secret: Secret): Limits {
  json.onlyMembers(["headers", "maxKeys", "limits"]);
  const limits = new Limits();
  const headers = json.member("headers");
  if (headers.exists) limits.reportsAll = headers.asOneOf(["rejections", "all"]) === "all";
  const maxKeys = json.member("maxKeys");
  const most = maxKeys.exists ? maxKeys.asInteger(<i32>BUCKETS_IN_SET, MOST) : 65_536;
  const names: string[] = [];
  const elements = json.member("limits").asArray();
  for (let i = 0; i < elements.length; i++) limits.all.push(readLimit(elements[i], names, most, secret));
  return limits;
}

function readLimit(json: JsonValue, names: string[], maxKeys: i32, secret: Secret): Limit {
  json.onlyMembers(["name", "match", "key", "missing", "tokens", "per", "burst", "enforce"]);
  const name = readRuleName(json.member("name"), names);
  const tokens = json.member("tokens").asInteger(1, MOST);
  const burst = json.member("burst");
  const rate = new Rate(tokens, readPer(json.member("per")), burst.exists ? burst.asInteger(1, MOST) : tokens);
  const key = json.member("key");
  const parts = key.exists ? readKey(key) : [];
  const sets = parts.length === 0 ? 1 : (maxKeys + BUCKETS_IN_SET - 1) / BUCKETS_IN_SET;
  const buckets = new Buckets(name, rate, sets);
  const limit = new Limit(name, readRequestMatch(json.member("match")), rate, buckets, secret);
  limit.key = parts;
  const missing = json.member("missing");
  if (missing.exists) limit.skipsMissing = missing.asOneOf(["share", "skip"]) === "skip";
  const enforce = json.member("enforce");
  if (enforce.exists) limit.enforced = enforce.asBoolean();
  return limit;
}

/** Reads a time. Returns microseconds. */
function readPer(json: JsonValue): u64 {
  const text = json.asString();
  if (!json.isString) return 1;
  let digits = 0;
  while (digits < text.length && isDigit(text.charCodeAt(digits))) digits++;
  const number = digits > 0 && digits < 9 ? U64.parseInt(text.substring(0, digits)) : 0;
  const per = number * microsecondsOf(text.substring(digits));
  if (per > 0 && per <= LONGEST_PER) return per;
  json.fault(`should be a time of at most 24h such as "500ms", "1s", "1m" or "1h", is "${text}"`);
  return 1;
}

function microsecondsOf(unit: string): u64 {
  if (unit === "ms") return 1000;
  if (unit === "s") return 1_000_000;
  if (unit === "m") return 60_000_000;
  return unit === "h" ? 3_600_000_000 : 0;
}

function isDigit(unit: i32): bool {
  return unit >= 0x30 && unit <= 0x39;
}

function readKey(json: JsonValue): KeyPart[] {
  const parts: KeyPart[] = [];
  const elements = json.asArray();
  if (json.elements.length === 0) json.fault("should name a part; leave it out for one bucket");
  for (let i = 0; i < elements.length; i++) parts.push(readPart(elements[i]));
  return parts;
}

function readPart(json: JsonValue): KeyPart {
  json.onlyMembers(["header", "clientAddress", "pathSegment", "property"]);
  const header = json.member("header");
  const segment = json.member("pathSegment");
  const property = json.member("property");
  const address = json.member("clientAddress");
  if (json.names.length !== 1) json.fault("should name one of header, clientAddress, pathSegment, property");
  if (header.exists) return new HeaderPart(lowerCase(notEmpty(header)));
  if (segment.exists) return new PathSegmentPart(segment.asInteger(1, 32));
  if (property.exists) return new PropertyPart(notEmpty(property));
  if (address.exists && !address.asBoolean()) address.fault("should be true");
  return new ClientAddressPart();
}

function notEmpty(json: JsonValue): string {
  const text = json.asString();
  if (json.isString && text === "") json.fault("should not be empty");
  return text;
}
