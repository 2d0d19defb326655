import { z } from "zod";
import type { Document } from "../model/document.ts";
import { documentName } from "../model/fields.ts";
import { kindRow, kinds } from "../model/kinds.ts";
import { didYouMean } from "../model/nearest.ts";
import { type FaultContext, type Problem, problemOf } from "../model/problem.ts";
import { type Path, pathText, shown } from "./path.ts";
import { schemaFaults, unknownField } from "./schema-faults.ts";
import { type DocumentFault, shapeFaults } from "./shape.ts";

const fields = ["kind", "name", "spec"];

/** Returns the source of a place in a document: "shop/edge.yaml:12". Undefined when the source is not known. */
export type Locate = (path: Path) => string | undefined;

/** One document, or all its problems. */
export type ParsedDocument =
  | { readonly ok: true; readonly document: Document }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function parseDocument(input: unknown, locate: Locate): ParsedDocument {
  const faults = documentFaults(input);
  if (faults.length === 0) return { ok: true, document: input as Document };
  return { ok: false, problems: faults.map((fault) => readingProblem(fault, input, locate)) };
}

function documentFaults(input: unknown): DocumentFault[] {
  if (!isMapping(input)) {
    const message = "must be a mapping with kind, name and spec";
    return [{ code: "DOCUMENT_INVALID", path: [], message, found: shown(input) }];
  }
  const unsafe = shapeFaults(input);
  if (unsafe.length > 0) return unsafe;
  const { name } = input;
  const unknown = Object.keys(input).filter((key) => !fields.includes(key));
  return [
    ...unknown.map((key) => unknownField([key], key, fields)),
    ...schemaFaults(documentName, name, ["name"]),
    ...kindFaults(input),
  ];
}

function kindFaults({ kind, spec }: Readonly<Record<string, unknown>>): DocumentFault[] {
  const row = typeof kind === "string" ? kindRow(kind) : undefined;
  if (row !== undefined) return schemaFaults(row.schema, spec, ["spec"]);
  if (typeof kind !== "string") return schemaFaults(z.string(), kind, ["kind"]);
  const names = kinds.map(({ kind }) => kind);
  return [
    {
      code: "KIND_UNKNOWN",
      path: ["kind"],
      message: `must be one of ${names.join(", ")}`,
      found: kind,
      hint: didYouMean(kind, names) ?? "an EnvoyResource document holds any other resource of Envoy",
    },
  ];
}

function readingProblem({ path, ...fault }: DocumentFault, input: unknown, locate: Locate): Problem {
  const { kind, name } = isMapping(input) ? input : {};
  const key = { kind: typeof kind === "string" ? kind : undefined, name: typeof name === "string" ? name : undefined };
  return problemOf(
    { ...fault, path: pathText(path) },
    {
      action: `Cannot read ${called(key)}`,
      subject: path.length === 0 ? "it" : pathText(path),
      ...key,
      source: locate(path),
    },
  );
}

/** What is known of a document: `Cluster "cart"`, `an unnamed Cluster`, `document "cart"` or `a document`. */
function called({ kind, name }: Pick<FaultContext, "kind" | "name">): string {
  if (name !== undefined) return `${kind ?? "document"} ${JSON.stringify(name)}`;
  return kind === undefined || kindRow(kind) === undefined ? "a document" : `an unnamed ${kind}`;
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
