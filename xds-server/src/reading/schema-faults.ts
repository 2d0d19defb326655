import { z } from "zod";
import { didYouMean } from "../model/nearest.ts";
import { isProblemCode, type ProblemCode } from "../model/problem-codes.ts";
import { type Path, pathText, shown, shownAsJson, valueAt } from "./path.ts";
import type { DocumentFault } from "./shape.ts";

/** All faults that a schema finds in a value. Their paths begin with `prefix`. */
export function schemaFaults(schema: z.ZodType, value: unknown, prefix: Path): DocumentFault[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  const seen = new Set<string>();
  return result.error.issues
    .filter((issue) => {
      // One mistake in a text often breaks several rules, so only its first fault counts. An object's faults are all independent.
      if (typeof valueAt(value, issue.path) === "object") return true;
      const place = pathText(issue.path);
      return seen.size < seen.add(place).size;
    })
    .flatMap((issue) => faultsOf(issue, { schema, value, prefix }));
}

interface Context {
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly prefix: Path;
}

function faultsOf(issue: z.core.$ZodIssue, { schema, value, prefix }: Context): DocumentFault[] {
  const path = [...prefix, ...issue.path];
  const at = valueAt(value, issue.path);
  const found = issue.code === "invalid_type" ? shownAsJson(at) : shown(at);
  const faulty = (code: ProblemCode, message: string, hint?: string): DocumentFault[] => [
    { code, path, message, found, hint },
  ];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownField([...path, key], key, fieldsAt(schema, issue.path)));
    case "invalid_type":
      return at === undefined
        ? faulty("FIELD_MISSING", "is needed")
        : faulty("FIELD_TYPE", `must be ${typeNames[issue.expected] ?? issue.expected}`, exampleAt(schema, issue.path));
    case "invalid_value": {
      const values = issue.values.map(String);
      return at === undefined
        ? faulty("FIELD_MISSING", "is needed")
        : faulty("FIELD_VALUE", `must be one of ${values.join(", ")}`, didYouMean(String(at), values));
    }
    case "too_big":
      return faulty("FIELD_VALUE", `must be at most ${issue.maximum}${units[issue.origin] ?? ""}`);
    case "too_small":
      return faulty("FIELD_VALUE", `must be at least ${issue.minimum}${units[issue.origin] ?? ""}`);
    case "invalid_key":
      return issue.issues.map((inner) => ({
        code: codeOf(inner),
        path,
        message: inner.message,
        found: String(issue.path.at(-1)),
      }));
    default:
      return faulty(codeOf(issue), issue.message);
  }
}

/** The fault of an unknown field. `known` are the valid fields, for the hint. */
export function unknownField(path: Path, key: string, known: readonly string[]): DocumentFault {
  const hint = didYouMean(key, known) ?? `known fields: ${known.join(", ")}`;
  return { code: "FIELD_UNKNOWN", path, message: "is not a known field", found: key, hint };
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

const units: Readonly<Record<string, string>> = { string: " characters long", array: " entries long" };

/** The code of an issue: our own refinements carry one, and every other issue is a `FIELD_VALUE`. */
function codeOf(issue: z.core.$ZodIssue): ProblemCode {
  const { code } = (issue.code === "custom" && issue.params) || {};
  return isProblemCode(code) ? code : "FIELD_VALUE";
}

/** The names of the fields that a schema has at a path. */
function fieldsAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const at = schemaAt(schema, path);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** `for example "3s"`, or undefined when the field at a path has no example. */
function exampleAt(schema: z.core.$ZodType, path: Path): string | undefined {
  const { examples } = z.globalRegistry.get(schemaAt(schema, path)) ?? {};
  return Array.isArray(examples) ? `for example ${JSON.stringify(examples[0])}` : undefined;
}

function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType {
  let current = schema;
  for (const step of path) {
    current = unwrapped(current);
    if (current instanceof z.ZodObject) current = current.shape[String(step)] ?? current;
    else if (current instanceof z.ZodArray) current = current.element;
  }
  return unwrapped(current);
}

const unwrapped = (schema: z.core.$ZodType): z.core.$ZodType =>
  schema instanceof z.ZodOptional ? unwrapped(schema.unwrap()) : schema;
