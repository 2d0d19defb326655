import type { FastifyInstance, FastifyRequest } from "fastify";
import { parseAllDocuments, visit, type Document as YamlDocument } from "yaml";
import type { Problem } from "../model/problem.ts";
import { Refusal, refusal, shortened } from "./problem-json.ts";
import { findJsonFaults } from "./strict-json.ts";

/** What a request's body held. */
export type Body =
  | { readonly type: "value"; readonly value: unknown }
  /** A file of several YAML documents. */
  | { readonly type: "values"; readonly values: readonly unknown[] }
  | { readonly type: "wasm"; readonly wasm: Uint8Array };

/** The deepest nesting taken; Envoy's own configurations stay below 40. */
const maxDepth = 100;
/** How many faults of one body are listed. */
const maxFaults = 20;

export const jsonMediaType = "application/json";
export const yamlMediaTypes = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];
export const wasmMediaType = "application/wasm";

/** Reads JSON, YAML and Wasm bodies; any other content type is refused with 415. */
export function registerBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const read = (mediaTypes: string | string[], parse: (bytes: Buffer) => Body) =>
    app.addContentTypeParser<Buffer>(
      mediaTypes,
      { parseAs: "buffer" },
      async (_request: FastifyRequest, bytes: Buffer) => parse(bytes),
    );
  read(jsonMediaType, (bytes) => ({ type: "value", value: readJsonBody(utf8(bytes)) }));
  read(yamlMediaTypes, (bytes) => readYamlBody(utf8(bytes)));
  read(wasmMediaType, (wasm) => ({ type: "wasm", wasm: new Uint8Array(wasm) }));
}

/** The documents or the one value of a JSON or YAML body; a file of several YAML documents is a list. */
export function bodyValue(request: FastifyRequest): unknown {
  const body = request.body as Body | undefined;
  if (body === undefined) {
    throw refusal(400, "BODY_MISSING", "Cannot read the request: it has no body", {
      hint: `send JSON (content-type: ${jsonMediaType}) or YAML (content-type: ${yamlMediaTypes[0]})`,
    });
  }
  if (body.type === "wasm") {
    throw refusal(415, "BODY_UNSUPPORTED_TYPE", "Cannot read a Wasm module here: this URL takes JSON or YAML", {
      found: wasmMediaType,
      hint: "upload modules to /api/v1/filters/NAME/versions",
    });
  }
  return body.type === "value" ? body.value : body.values.flat();
}

export function bodyWasm(request: FastifyRequest): Uint8Array {
  const body = request.body as Body | undefined;
  if (body?.type === "wasm") return body.wasm;
  const message = "Cannot read a Wasm module: the body is not one";
  throw refusal(415, "BODY_UNSUPPORTED_TYPE", message, { hint: `send the module with content-type: ${wasmMediaType}` });
}

function readJsonBody(text: string): unknown {
  const value = parseJson(text);
  const faults = findJsonFaults(text, maxDepth);
  if (faults.length > 0)
    throw new Refusal(
      400,
      faults.slice(0, maxFaults).map(({ fault, path }) => faultProblems[fault](path)),
    );
  return value;
}

function parseJson(text: string): unknown {
  if (text.trim() === "") throw refusal(400, "BODY_MISSING", "Cannot read the request: its body is empty");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(400, "BODY_NOT_JSON", `Cannot read the body as JSON: ${shortened(messageOf(error))}`, {
      hint: "correct the syntax, or send YAML with content-type: application/yaml",
    });
  }
}

function readYamlBody(text: string): Body {
  let documents: YamlDocument[];
  let values: unknown[];
  try {
    // Nodes nested too deep overflow the reader's stack: a RangeError, which is this body's fault and nobody else's.
    documents = [...parseAllDocuments(text, { uniqueKeys: true, prettyErrors: true })] as YamlDocument[];
    const problems = documents.flatMap((document) => document.errors.map(yamlProblem));
    if (problems.length > 0) throw new Refusal(400, problems.slice(0, maxFaults));
    for (const document of documents) refuseDepth(document);
    // Few aliases: a handful of lines can otherwise expand to gigabytes.
    values = documents.map((document) => document.toJS({ maxAliasCount: 100 }));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof RangeError) throw new Refusal(400, [faultProblems["too-deep"]("")]);
    throw refusal(400, "YAML_INVALID", `Cannot read the body as YAML: ${shortened(messageOf(error))}`);
  }
  const given = values.filter((value) => value !== null && value !== undefined);
  if (given.length === 0) throw refusal(400, "BODY_MISSING", "Cannot read the request: its body is empty");
  return given.length === 1 ? { type: "value", value: given[0] } : { type: "values", values: given };
}

function refuseDepth(document: YamlDocument): void {
  visit(document, {
    Node: (_key, _node, path) => {
      if (path.length > 2 * maxDepth) throw new Refusal(400, [faultProblems["too-deep"]("")]);
    },
    Pair: (_key, { key }) => {
      if (String(key) === "__proto__") throw new Refusal(400, [faultProblems["forbidden-key"]("__proto__")]);
    },
  });
}

function yamlProblem(error: {
  readonly code: string;
  readonly message: string;
  readonly linePos?: readonly { line: number }[] | undefined;
}): Problem {
  const line = error.linePos?.[0]?.line;
  const duplicate = error.code === "DUPLICATE_KEY";
  return {
    code: duplicate ? "BODY_DUPLICATE_KEY" : "YAML_INVALID",
    message: `Cannot read the body as YAML: ${shortened(error.message.split("\n")[0] ?? error.message)}`,
    path: "",
    ...(line === undefined ? {} : { source: `body:${line}` }),
  };
}

const faultProblems = {
  "duplicate-key": (path: string): Problem => ({
    code: "BODY_DUPLICATE_KEY",
    message: "Cannot read the body: a key is given twice in one object",
    path,
    hint: "keep one of them",
  }),
  "forbidden-key": (path: string): Problem => ({
    code: "BODY_FORBIDDEN_KEY",
    message: 'Cannot read the body: the key "__proto__" is not allowed',
    path,
  }),
  "too-deep": (path: string): Problem => ({
    code: "BODY_TOO_DEEP",
    message: `Cannot read the body: it is nested deeper than ${maxDepth} levels`,
    path,
  }),
};

const decoder = new TextDecoder("utf-8", { fatal: true });

function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw refusal(400, "BODY_NOT_UTF8", "Cannot read the body: it is not UTF-8 text");
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
