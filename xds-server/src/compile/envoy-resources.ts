import { isMessage, type Message } from "@bufbuild/protobuf";
import { readJson } from "xds-proto-ts";
import { ListenerSchema } from "xds-proto-ts/envoy/config/listener/v3/listener";
import type { Document } from "../model/document.ts";
import { durationMs } from "../model/fields.ts";
import { didYouMean } from "../model/nearest.ts";
import type { Fault, Problem } from "../model/problem.ts";
import { encodeResource, resourceName, schemaOf } from "../resources/encode.ts";
import { resourceTypeOf, resourceTypes } from "../resources/resource-types.ts";
import { type Built, problem, violations } from "./built.ts";

/** The result for an EnvoyResource, with the address that no other listener may have. */
export interface BuiltEnvoyResource extends Built {
  /** The address of a listener: "127.0.0.1:10000". Absent: it is no listener, or has no fixed port. */
  readonly address?: string;
}

const root = "spec.resource";

export function buildEnvoyResource(document: Document<"EnvoyResource">): BuiltEnvoyResource {
  const { "@type": typeUrl, ...json } = document.spec.resource;
  const { ttl } = document.spec;
  const type = resourceTypeOf(typeUrl);
  if (type === undefined) return failed([unknownType(document, typeUrl)]);
  const schema = schemaOf(type);
  const reading = readJson(schema, json);
  if (!reading.ok) {
    return failed(
      reading.issues.map(({ path, message, found, hint }) => {
        const place = at(path);
        return problem(document, {
          code: "ENVOY_RESOURCE_INVALID",
          path: place,
          message: `${place}: ${message}`,
          found,
          hint,
        });
      }),
    );
  }
  const name = resourceName(type, reading.message);
  if (type.hasAliases && !/.\/./.test(name)) {
    const fault: Fault = {
      code: "ENVOY_RESOURCE_NAME",
      path: at(type.nameField),
      message: `${type.shortName} resources must be named "ROUTE-CONFIGURATION/NAME"`,
      found: name,
      hint: "put the name of its route configuration before it",
    };
    return failed([problem(document, fault)]);
  }
  if (name === "") {
    const fault: Fault = {
      code: "ENVOY_RESOURCE_UNNAMED",
      path: at(type.nameField),
      message: `${type.shortName} resources need a ${type.nameField}`,
    };
    return failed([problem(document, fault)]);
  }
  const problems = violations(document, schema, reading.message, root);
  if (problems.length > 0) return failed(problems);
  const address = addressOf(reading.message);
  return {
    resources: [encodeResource(type, reading.message, ttl === undefined ? {} : { ttlMs: durationMs(ttl) })],
    problems,
    ...(address === undefined ? {} : { address }),
  };
}

const failed = (problems: readonly Problem[]): Built => ({ resources: [], problems });

/** The path in the document of a place in the resource. */
const at = (path: string): string => (path === "" ? root : path.startsWith("[") ? `${root}${path}` : `${root}.${path}`);

function unknownType(document: Document, typeUrl: string): Problem {
  const known = resourceTypes.map((type) => type.typeUrl);
  return problem(document, {
    code: "ENVOY_RESOURCE_TYPE_UNKNOWN",
    path: `${root}.@type`,
    message: `"${typeUrl}" is not a resource type of this server`,
    found: typeUrl,
    hint: didYouMean(typeUrl, known) ?? `known types: ${known.join(", ")}`,
  });
}

function addressOf(message: Message): string | undefined {
  if (!isMessage(message, ListenerSchema)) return undefined;
  const address = message.address?.address;
  if (address?.case !== "socketAddress" || address.value.portSpecifier.case !== "portValue") return undefined;
  return listeningAddress(address.value.address, address.value.portSpecifier.value);
}

/** The text by which addresses of listeners are compared. Undefined: the port is 0, which never collides. */
export const listeningAddress = (address: string, port: number): string | undefined =>
  port === 0 ? undefined : `${address.includes(":") ? `[${address}]` : address}:${port}`;
