import type { FastifyInstance, FastifyRequest } from "fastify";
import { bodyFault, maxBodyDepth, maxBodyFaults } from "./body-faults.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";
import { findJsonFaults } from "./strict-json.ts";
import { readYamlValues } from "./yaml-body.ts";

/** The parsed body of a request. */
type Body =
  | { readonly type: "value"; readonly value: unknown }
  /** A file of several YAML documents. */
  | { readonly type: "values"; readonly values: readonly unknown[] }
  | { readonly type: "wasm"; readonly wasm: Uint8Array };

export const jsonMediaType = "application/json";
export const yamlMediaTypes = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];
export const wasmMediaType = "application/wasm";

/** Makes the server read JSON, YAML and Wasm bodies. Any other content type is rejected with 415. */
export function registerBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const read = (mediaTypes: string | string[], parse: (bytes: Buffer) => Body) =>
    app.addContentTypeParser<Buffer>(
      mediaTypes,
      { parseAs: "buffer" },
      // Some clients send a content type with every request, even with a DELETE that has no body.
      async (_request: FastifyRequest, bytes: Buffer) => (bytes.length === 0 ? undefined : parse(bytes)),
    );
  read(jsonMediaType, (bytes) => ({ type: "value", value: readJson(utf8(bytes)) }));
  read(yamlMediaTypes, (bytes) => readYamlBody(utf8(bytes)));
  read(wasmMediaType, (wasm) => ({ type: "wasm", wasm: new Uint8Array(wasm) }));
}

/** The value of a JSON or YAML body. Several YAML documents in one body become one list. */
export function bodyValue(request: FastifyRequest): unknown {
  const body = request.body as Body | undefined;
  if (body === undefined) {
    throw requestError(400, "BODY_MISSING", "Cannot read the request: it has no body", {
      hint: `send JSON (content-type: ${jsonMediaType}) or YAML (content-type: ${yamlMediaTypes[0]})`,
    });
  }
  if (body.type === "wasm") {
    throw requestError(415, "BODY_UNSUPPORTED_TYPE", "Cannot read a Wasm module here: this URL accepts JSON or YAML", {
      found: wasmMediaType,
      hint: "upload modules to /api/v1/filters/NAME/versions",
    });
  }
  return body.type === "value" ? body.value : body.values.flat();
}

/** The Wasm module in the body. */
export function bodyWasm(request: FastifyRequest): Uint8Array {
  const body = request.body as Body | undefined;
  if (body?.type === "wasm") return body.wasm;
  throw unsupportedType(request);
}

/** The rejection of a body whose content type this URL does not take. */
export function unsupportedType({ method, url, headers, routeOptions }: FastifyRequest): RequestError {
  const found = headers["content-type"];
  const body = found === undefined ? "a body without a content type" : `a body of type "${shortened(found)}"`;
  // openapi.ts lists the content types in the schema of the route.
  const { content = {} } = (routeOptions.schema?.body ?? {}) as { readonly content?: object };
  const taken = Object.keys(content).join(" or ") || "no body";
  const where = `${method} ${shortened(url.split("?")[0] ?? "")}`;
  return requestError(415, "BODY_UNSUPPORTED_TYPE", `Cannot read ${body}: ${where} takes ${taken}`, {
    path: "headers.content-type",
    ...(found === undefined ? {} : { found: shortened(found) }),
  });
}

function readJson(text: string): unknown {
  if (text.trim() === "") throw emptyBody();
  const value = parseJson(text);
  const faults = findJsonFaults(text, maxBodyDepth).slice(0, maxBodyFaults);
  if (faults.length > 0)
    throw new RequestError(
      400,
      faults.map(({ what, path }) => bodyFault(what, path)),
    );
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const cause = shortened(error instanceof Error ? error.message : String(error));
    throw requestError(400, "BODY_NOT_JSON", `Cannot read the body as JSON: ${cause}`, {
      hint: "correct the syntax, or send YAML with content-type: application/yaml",
    });
  }
}

function readYamlBody(text: string): Body {
  const [value, ...others] = readYamlValues(text);
  if (value === undefined) throw emptyBody();
  return others.length === 0 ? { type: "value", value } : { type: "values", values: [value, ...others] };
}

function emptyBody(): RequestError {
  return requestError(400, "BODY_MISSING", "Cannot read the request: its body is empty");
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw requestError(400, "BODY_NOT_UTF8", "Cannot read the body: it is not UTF-8 text");
  }
}
