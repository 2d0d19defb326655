import type { JsonValue } from "@bufbuild/protobuf";
import { RE2JS } from "re2js";
import type { NodeMatcher } from "xds-proto-ts/envoy/type/matcher/v3/node";
import type { DoubleMatcher } from "xds-proto-ts/envoy/type/matcher/v3/number";
import type { StringMatcher } from "xds-proto-ts/envoy/type/matcher/v3/string";
import type { StructMatcher } from "xds-proto-ts/envoy/type/matcher/v3/struct";
import type { ValueMatcher } from "xds-proto-ts/envoy/type/matcher/v3/value";
import { CallFault } from "../../grpc/status.ts";
import type { Node } from "../../model/node.ts";

export type NodeTest = (node: Pick<Node, "id" | "metadata">) => boolean;

/**
 * True for a node that at least one matcher matches. Without matchers, it is true for every node. Throws a `CallFault` for
 * a matcher that cannot be used.
 */
export function nodeTest(matchers: readonly NodeMatcher[]): NodeTest {
  if (matchers.length === 0) return () => true;
  const tests = matchers.map(oneNodeTest);
  return (node) => tests.some((test) => test(node));
}

function oneNodeTest({ nodeId, nodeMetadatas }: NodeMatcher): NodeTest {
  const idTest = nodeId === undefined ? () => true : textTest(nodeId);
  const metadataTests = nodeMetadatas.map(structTest);
  return ({ id, metadata }) => idTest(id) && metadataTests.every((test) => test(metadata));
}

type ValueTest = (value: unknown) => boolean;

function structTest({ path, value }: StructMatcher): ValueTest {
  const test = value === undefined ? () => false : valueTest(value);
  const keys = path.map(({ segment }) => segment.value);
  return (struct) => test(keys.reduce(memberOf, struct));
}

function memberOf(value: unknown, key: string | undefined): unknown {
  const isStruct = typeof value === "object" && value !== null && !Array.isArray(value);
  return isStruct && key !== undefined && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** An absent value is undefined. It matches only a matcher that requires its absence. */
function valueTest({ matchPattern: pattern }: ValueMatcher): ValueTest {
  switch (pattern.case) {
    case "nullMatch":
      return (value) => value === null;
    case "boolMatch":
      return (value) => value === pattern.value;
    case "doubleMatch":
      return numberTest(pattern.value);
    case "stringMatch": {
      const test = textTest(pattern.value);
      return (value) => typeof value === "string" && test(value);
    }
    case "presentMatch":
      return (value) => (pattern.value ? isPrimitive(value) : value === undefined);
    case "listMatch": {
      const { value: oneOf } = pattern.value.matchPattern;
      const test = oneOf === undefined ? () => false : valueTest(oneOf);
      return (value) => Array.isArray(value) && value.some(test);
    }
    case "orMatch": {
      const tests = pattern.value.valueMatchers.map(valueTest);
      return (value) => tests.some((test) => test(value));
    }
    default:
      return () => false;
  }
}

function isPrimitive(value: unknown): value is Exclude<JsonValue, object> {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function numberTest({ matchPattern: pattern }: DoubleMatcher): ValueTest {
  if (pattern.case === "exact") return (value) => value === pattern.value;
  if (pattern.case !== "range") return () => false;
  const { start, end } = pattern.value;
  return (value) => typeof value === "number" && start <= value && value < end;
}

function textTest({ matchPattern: pattern, ignoreCase }: StringMatcher): (text: string) => boolean {
  switch (pattern.case) {
    case "safeRegex":
      return regexTest(pattern.value.regex);
    case "custom":
      throw unusable("custom string matchers are not supported");
    case undefined:
      return () => false;
    default: {
      const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
      const wanted = fold(pattern.value);
      const compare = comparisons[pattern.case];
      return (text) => compare(fold(text), wanted);
    }
  }
}

const comparisons = {
  exact: (text: string, wanted: string) => text === wanted,
  prefix: (text: string, wanted: string) => text.startsWith(wanted),
  suffix: (text: string, wanted: string) => text.endsWith(wanted),
  contains: (text: string, wanted: string) => text.includes(wanted),
};

/** An RE2 pattern, as in Envoy. Matching takes time linear in the length of the text. */
function regexTest(regex: string): (text: string) => boolean {
  try {
    const pattern = RE2JS.compile(regex);
    return (text) => pattern.matches(text);
  } catch (error) {
    throw unusable(`safe_regex is not RE2: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const unusable = (cause: string): CallFault =>
  new CallFault("INVALID_ARGUMENT", `Cannot match proxies by node_matchers: ${cause}`);
