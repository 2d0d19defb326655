import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import type { Fault } from "../model/problem.ts";

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
export function configFaults(schema: object | boolean, config: unknown): readonly Fault[] {
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

function fault(error: ErrorObject): Fault {
  const { instancePath, keyword, params, message = "does not match the schema", data, parentSchema } = error;
  const place = dotted(instancePath);
  const named = (key: string) => (place === "" ? key : `${place}.${key}`);
  const faulty = (path: string, what: string, found = shortened(data), hint?: string): Fault => {
    return { code: "FILTER_CONFIG_INVALID", path, message: what, found, hint };
  };
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
    const known = Object.keys((parentSchema as { readonly properties?: object } | undefined)?.properties ?? {});
    const hint = known.length === 0 ? undefined : `known fields: ${known.join(", ")}`;
    return faulty(named(key), "is not a known field", key, hint);
  }
  if (keyword === "required") return faulty(named(String(params["missingProperty"])), "is required");
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as readonly unknown[]).map((value) => JSON.stringify(value)).join(", ");
    return faulty(place, `must be one of ${allowed}`);
  }
  if (keyword === "const") return faulty(place, `must be ${JSON.stringify(params["allowedValue"])}`);
  return faulty(place, message);
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
