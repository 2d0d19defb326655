import { type ResourceKey, type ResourceType, resourceType } from "../resources/resource-types.ts";
import type { Resource, Snapshot } from "../resources/snapshot.ts";
import type { Request, Response, Step } from "./stream.ts";

/** A resource of a given version. `rewarms` names the resources that it makes the client wait for. */
export function resource(
  shortName: string,
  name: string,
  version: string,
  rewarms: readonly ResourceKey[] = [],
): Resource {
  return { typeUrl: resourceType(shortName).typeUrl, name, version, body: new Uint8Array(), rewarms };
}

/** A snapshot in short form, such as `{ CDS: { cart: "1" } }`. Each cluster makes the client wait for its endpoints. */
export function snapshot(byType: Record<string, Record<string, string>>): Snapshot {
  const entries = Object.entries(byType).map(([shortName, versions]) => {
    const rewarms = (name: string) => (shortName === "CDS" ? [{ typeUrl: resourceType("EDS").typeUrl, name }] : []);
    const set = Object.entries(versions).map(
      ([name, version]) => [name, resource(shortName, name, version, rewarms(name))] as const,
    );
    return [resourceType(shortName).typeUrl, new Map(set)] as const;
  });
  return { resources: new Map(entries) };
}

export interface RequestOptions {
  readonly nonce?: string;
  readonly errorDetail?: string;
  /** State of the world only: the request names a version from an earlier stream. */
  readonly resumes?: boolean;
}

export function sotwRequest(shortName: string, list: readonly string[] = [], options: RequestOptions = {}): Request {
  return request(resourceType(shortName), { list, resumes: options.resumes ?? false }, options);
}

export function deltaRequest(
  shortName: string,
  names: { added?: readonly string[]; removed?: readonly string[]; initial?: Record<string, string> } = {},
  options: RequestOptions = {},
): Request {
  const initialVersions = new Map(Object.entries(names.initial ?? {}));
  return request(
    resourceType(shortName),
    { added: names.added ?? [], removed: names.removed ?? [], initialVersions },
    options,
  );
}

function request(type: ResourceType, names: Request["names"], { nonce = "", errorDetail }: RequestOptions): Request {
  const plain = { type, responseNonce: nonce, names };
  return errorDetail === undefined ? plain : { ...plain, errorDetail };
}

/** The responses of a step, one line each: "CDS +changed =kept -removed". */
export function sent({ responses }: Pick<Step, "responses">): string[] {
  return responses.map(({ type, update: { changed, kept, removed } }: Response) =>
    [
      type.shortName,
      ...changed.map(({ name, version }) => `+${name}@${version}`),
      ...kept.map(({ name, version }) => `=${name}@${version}`),
      ...removed.map((name) => `-${name}`),
    ].join(" "),
  );
}
