import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";

/** One place where a configuration does not match its filter's schema. */
export interface ConfigFault {
  /** The place in the configuration: "rules[0].action". Empty for the whole configuration. */
  readonly path: string;
  /** What is wrong, as a predicate of the place: `must be one of "allow", "deny"`. */
  readonly message: string;
  /** The value at the place, as JSON, shortened. */
  readonly found: string;
  /** For an unknown field: the known fields. */
  readonly known?: readonly string[];
}

/** A longer list of faults does not help. */
const maxFaults = 100;
/** How much of a value a fault repeats, in UTF-16 code units. */
const maxShownLength = 80;

/** Why a schema is not valid, or undefined when it is valid. */
export function schemaFault(schema: object | boolean): string | undefined {
  const compiled = validator(schema);
  return typeof compiled === "string" ? compiled : undefined;
}

/** All places where a configuration does not match the schema. The schema must be valid, see `schemaFault`. */
export function configFaults(schema: object | boolean, config: unknown): readonly ConfigFault[] {
  const validate = validator(schema);
  if (typeof validate === "string") throw new Error(`The schema is not valid: ${validate}`);
  if (validate(config)) return [];
  const errors = (validate.errors ?? []).filter(({ keyword }) => !summaries.has(keyword));
  return (errors.length > 0 ? errors : (validate.errors ?? [])).slice(0, maxFaults).map((error) => fault(error));
}

/** Errors of these keywords only repeat that an inner schema failed. */
const summaries = new Set(["if", "anyOf", "oneOf", "not"]);

/**
 * Compiles a schema, or returns why it is not valid. Unknown keywords are faults, so that a typing mistake is found when the
 * filter is pushed. Patterns are untrusted, so RE2 runs them, whose time is bounded.
 */
function validator(schema: object | boolean): ValidateFunction | string {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strictTypes: false,
    strictRequired: false,
    validateFormats: false,
    logger: false,
    code: { regExp: Object.assign(boundedPattern, { code: "boundedPattern" }) },
  });
  try {
    return ajv.compile(schema);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function boundedPattern(pattern: string): { test(text: string): boolean } {
  const compiled = RE2JS.compile(pattern);
  // Ajv uses the text of a pattern as its key.
  const test = (text: string): boolean => compiled.matcher(text).find();
  return Object.assign(Object.create({ toString: () => pattern }), { test });
}

function fault({
  instancePath,
  keyword,
  params,
  message = "does not match the schema",
  data,
  parentSchema,
}: ErrorObject) {
  const place = dotted(instancePath);
  const found = shortened(data);
  const named = (key: string) => (place === "" ? key : `${place}.${key}`);
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
    const known = Object.keys((parentSchema as { readonly properties?: object } | undefined)?.properties ?? {});
    return { path: named(key), message: "is not a known field", found: key, known };
  }
  if (keyword === "required") {
    return { path: named(String(params["missingProperty"])), message: "is required", found };
  }
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as readonly unknown[]).map((value) => JSON.stringify(value)).join(", ");
    return { path: place, message: `must be one of ${allowed}`, found };
  }
  if (keyword === "const") {
    return { path: place, message: `must be ${JSON.stringify(params["allowedValue"])}`, found };
  }
  return { path: place, message, found };
}

/** Converts "/rules/0/action" to "rules[0].action". */
function dotted(pointer: string): string {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return parts.reduce((path, part) => {
    if (/^\d+$/.test(part)) return `${path}[${part}]`;
    return path === "" ? part : `${path}.${part}`;
  }, "");
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text;
}
