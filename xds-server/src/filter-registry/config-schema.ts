import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";

/** One place where a configuration is not as its filter's schema says. */
export interface ConfigFault {
  /** Where in the configuration: "rules[0].action". Empty for the whole. */
  readonly path: string;
  /** What it should be: `must be one of "allow", "deny"`. */
  readonly message: string;
  /** The value there, as JSON. */
  readonly found: string;
  /** The names that an unknown field might have meant. */
  readonly known?: readonly string[];
}

/** More help nobody. */
const mostFaults = 100;

/** Why a schema cannot be used, or undefined when it can. */
export function schemaFault(schema: object | boolean): string | undefined {
  const compiled = validator(schema);
  return typeof compiled === "string" ? compiled : undefined;
}

/** Every place where a configuration is not as the schema says. The schema is one that `schemaFault` has passed. */
export function configFaults(schema: object | boolean, config: unknown): readonly ConfigFault[] {
  const validate = validator(schema);
  if (typeof validate === "string") throw new Error(`The schema cannot be used: ${validate}`);
  if (validate(config)) return [];
  const errors = (validate.errors ?? []).filter(({ keyword }) => !summaries.has(keyword));
  return (errors.length > 0 ? errors : (validate.errors ?? [])).slice(0, mostFaults).map((error) => fault(error));
}

/** These only say that what stands below them failed. */
const summaries = new Set(["if", "anyOf", "oneOf", "not"]);

/**
 * Keywords that JSON Schema does not have are rejected, so that a slip is found when the filter is pushed. Patterns are run by
 * RE2, whose time is bounded, because they come from outside.
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
  // Ajv tells patterns apart by their text.
  const test = (text: string): boolean => compiled.matcher(text).find();
  return Object.assign(Object.create({ toString: () => pattern }), { test });
}

function fault({ instancePath, keyword, params, message = "is not as it should be", data, parentSchema }: ErrorObject) {
  const place = dotted(instancePath);
  const found = shortened(data);
  const named = (key: string) => (place === "" ? key : `${place}.${key}`);
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
    const known = Object.keys((parentSchema as { readonly properties?: object } | undefined)?.properties ?? {});
    return { path: named(key), message: "is not a known field", found: key, known };
  }
  if (keyword === "required") {
    return { path: named(String(params["missingProperty"])), message: "is missing, and must be there", found };
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

/** "/rules/0/action" as "rules[0].action". */
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
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
