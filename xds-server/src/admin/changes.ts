import type { Document, DocumentKey } from "../model/document.ts";
import { kindRow, kinds } from "../model/kinds.ts";
import type { Change } from "../model/mesh.ts";
import { didYouMean } from "../model/nearest.ts";
import { boundedProblems, type Problem, problemOf } from "../model/problem.ts";
import { parseDocuments } from "../reading/parse.ts";
import { RequestError, shortened } from "./problem-json.ts";

/** Reads the body of an apply: a document, a list of them, or `{"set": [documents], "delete": [{"kind", "name"}]}`. */
export function readChange(value: unknown): Change {
  if (!isRecord(value) || "kind" in value || "spec" in value) return { set: readDocuments(value), delete: [] };
  const problems: Problem[] = Object.keys(value)
    .filter((key) => key !== "set" && key !== "delete")
    .map((key) =>
      wrongShape(shortened(key), `the field "${shortened(key)}" is unknown`, didYouMean(key, ["set", "delete"])),
    );
  const { set = [], delete: deleted = [] } = value;
  if (!Array.isArray(set)) problems.push(wrongShape("set", '"set" must be a list of documents'));
  if (!Array.isArray(deleted)) problems.push(wrongShape("delete", '"delete" must be a list of {"kind", "name"}'));
  const parsed = parseDocuments(Array.isArray(set) ? set : []);
  const keys = (Array.isArray(deleted) ? deleted : []).map((key, index) => readKey(key, `delete[${index}]`));
  problems.push(...placed(set, parsed.problems, "set"), ...keys.flatMap((key) => key.problems));
  const change = { set: parsed.documents, delete: keys.flatMap(({ key }) => (key === undefined ? [] : [key])) };
  problems.push(...setAndDeleted(change));
  if (problems.length > 0) throw new RequestError(422, problems);
  return change;
}

/** Reads one document or a list of documents. Rejects a document that is given twice. */
export function readDocuments(value: unknown): readonly Document[] {
  const { documents, problems } = parseDocuments(value);
  if (problems.length > 0) throw new RequestError(422, placed(value, problems, "body"));
  return documents;
}

/** Adds the document's position in the list to each problem: a document without a name has no other place. */
function placed(list: unknown, problems: readonly Problem[], where: string): readonly Problem[] {
  if (!Array.isArray(list)) return problems;
  const own = list.flatMap((item, index) => parseDocuments([item], { source: `${where}[${index}]` }).problems);
  const ofSeveral = problems.filter(({ code }) => code === "DOCUMENT_DUPLICATE");
  return boundedProblems([...own, ...ofSeveral]);
}

function readKey(value: unknown, path: string): { readonly key?: DocumentKey; readonly problems: readonly Problem[] } {
  if (!isRecord(value)) return { problems: [wrongShape(path, `"${path}" must be {"kind", "name"}`)] };
  const { kind, name, ...others } = value;
  const problems = Object.keys(others).map((field) =>
    wrongShape(
      `${path}.${shortened(field)}`,
      `the field "${shortened(field)}" is unknown`,
      didYouMean(field, ["kind", "name"]),
    ),
  );
  const known = typeof kind === "string" ? kindRow(kind)?.kind : undefined;
  if (known === undefined) {
    const hint = typeof kind === "string" ? didYouMean(kind, kindNames) : undefined;
    problems.push({
      ...wrongShape(`${path}.kind`, "this kind is unknown", hint),
      found: shortened(JSON.stringify(kind) ?? "nothing"),
    });
  }
  if (typeof name !== "string" || name === "") problems.push(wrongShape(`${path}.name`, "the name must be a text"));
  if (known === undefined || typeof name !== "string" || problems.length > 0) return { problems };
  return { key: { kind: known, name }, problems };
}

function setAndDeleted(change: Change): readonly Problem[] {
  const set = new Set(change.set.map(({ kind, name }) => `${kind} ${name}`));
  return change.delete.flatMap(({ kind, name }, index) =>
    set.has(`${kind} ${name}`)
      ? [
          {
            ...wrongShape(`delete[${index}]`, `${kind} "${name}" is both set and deleted`, "keep one of the two"),
            kind,
            name,
          },
        ]
      : [],
  );
}

const kindNames = kinds.map(({ kind }) => kind);

function wrongShape(path: string, what: string, hint?: string): Problem {
  return problemOf({ code: "CHANGE_INVALID", message: what, path, hint }, { action: "Cannot read the change" });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
