import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { validate } from "xds-proto-ts";
import type { Document } from "../model/document.ts";
import { type Fault, type Problem, problemOf } from "../model/problem.ts";
import { encodeResource } from "../resources/encode.ts";
import { resourceType } from "../resources/resource-types.ts";
import type { Resource } from "../resources/snapshot.ts";

/** The result of building one document, or several together. */
export interface Built {
  readonly resources: readonly Resource[];
  readonly problems: readonly Problem[];
}

/** The problem of a document that does not compile. */
export function problem({ kind, name }: Document, fault: Fault): Problem {
  return problemOf(fault, { action: `Cannot compile ${kind} "${name}"`, kind, name });
}

/** The node group in which a document applies. Undefined: in every node group. */
export type Scope = string | undefined;

/** Whether a document in `scope` applies to all proxies of `user`. */
export const covers = (scope: Scope, user: Scope): boolean => scope === undefined || scope === user;

/** Whether documents of the two scopes can apply in the same node group. */
export const overlap = (one: Scope, other: Scope): boolean => one === undefined || other === undefined || one === other;

/** Checks a message against Envoy's own rules, and encodes it as a resource of the type with the short name. */
export function built<S extends DescMessage>(
  document: Document,
  shortName: string,
  schema: S,
  message: MessageShape<S>,
): Built {
  const problems = violations(document, schema, message);
  const resources = problems.length === 0 ? [encodeResource(resourceType(shortName), message)] : [];
  return { resources, problems };
}

/** The violations of Envoy's own rules. There should be none, because the schemas of the model should find them first. */
export function violations<S extends DescMessage>(
  document: Document,
  schema: S,
  message: MessageShape<S>,
  prefix = "",
): readonly Problem[] {
  return validate(schema, message).map((violation) =>
    problem(document, {
      code: "RESOURCE_INVALID",
      path: prefix === "" ? "" : `${prefix}.${violation.path}`,
      message: `Envoy would reject ${violation.path}: ${violation.message}`,
    }),
  );
}
