import { z } from "zod";
import { fault, type Immutable, optional, required } from "./fields.ts";
import type { Node } from "./node.ts";

/** The group of proxies that match no NodeGroup. */
export const defaultNodeGroup = "default";

const text = z.string().min(1).max(1024);
const globs = z.array(text).min(1).max(1000);

const localitySchema = z.strictObject({
  region: optional(text, "The region, with the same wildcards. Any when absent."),
  zone: optional(text, "The zone, with the same wildcards. Any when absent."),
  subZone: optional(text, "The sub-zone, with the same wildcards. Any when absent."),
});

const matchSchema = z
  .strictObject({
    ids: optional(globs, "Node ids, of which one must match. `*` stands for any text, `?` for any character."),
    clusters: optional(globs, "Node clusters, of which one must match, with the same wildcards."),
    locality: optional(localitySchema, "Where the proxy says that it runs."),
    metadata: optional(
      z.record(text, z.string().max(1024)),
      "Node metadata: each key must be there with this text, with the same wildcards; numbers and booleans are compared as written.",
    ),
  })
  .refine((match) => Object.values(match).some((condition) => condition !== undefined), {
    ...fault("FIELD_MISSING", 'must have at least one condition; `ids: ["*"]` matches every proxy'),
  });

export const nodeGroupSchema = z
  .strictObject({ match: required(matchSchema, "What a proxy must be, in every point given, to belong to the group.") })
  .meta({
    description: `Proxies that get the same configuration. The first group by name that matches takes a proxy; one that none matches is in "${defaultNodeGroup}".`,
  });

/** Proxies that get the same configuration. All conditions given must hold; of a list, one entry. */
export type NodeGroupSpec = Immutable<z.infer<typeof nodeGroupSchema>>;

/** What of a proxy tells its group. */
type Grouped = Pick<Node, "id" | "cluster" | "metadata" | "locality">;

/** The node group that a proxy belongs to: the first by name that matches, else `defaultNodeGroup`. */
export function nodeGroupOf(node: Grouped, groups: ReadonlyMap<string, { readonly spec: NodeGroupSpec }>): string {
  const names = [...groups.keys()].sort();
  return names.find((name) => matches(node, groups.get(name)?.spec)) ?? defaultNodeGroup;
}

function matches(node: Grouped, spec: NodeGroupSpec | undefined): boolean {
  if (spec === undefined) return false;
  const { ids, clusters, locality = {}, metadata = {} } = spec.match;
  const isWanted = (glob: string | undefined, is: string): boolean => glob === undefined || globMatches(glob, is);
  return (
    (ids === undefined || ids.some((glob) => globMatches(glob, node.id))) &&
    (clusters === undefined || clusters.some((glob) => globMatches(glob, node.cluster))) &&
    isWanted(locality.region, node.locality.region) &&
    isWanted(locality.zone, node.locality.zone) &&
    isWanted(locality.subZone, node.locality.subZone) &&
    Object.entries(metadata).every(([key, glob]) => {
      const text = Object.hasOwn(node.metadata, key) ? asText(node.metadata[key]) : undefined;
      return text !== undefined && globMatches(glob, text);
    })
  );
}

const asText = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;

/** Matches by going back to the last `*` only, so that no glob takes more than glob x text steps. */
export function globMatches(glob: string, text: string): boolean {
  let globAt = 0;
  let textAt = 0;
  let starAt = -1;
  let retryAt = 0;
  while (textAt < text.length) {
    const wanted = glob[globAt];
    if (wanted === "*") {
      starAt = globAt++;
      retryAt = textAt;
    } else if (wanted === "?" || wanted === text[textAt]) {
      globAt++;
      textAt++;
    } else if (starAt >= 0) {
      globAt = starAt + 1;
      textAt = ++retryAt;
    } else {
      return false;
    }
  }
  while (glob[globAt] === "*") globAt++;
  return globAt === glob.length;
}
