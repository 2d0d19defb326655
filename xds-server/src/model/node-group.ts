import { z } from "zod";
import { fault, type Immutable, optional, required } from "./fields.ts";
import type { Node } from "./node.ts";

/** The group of proxies that match no NodeGroup. */
export const defaultNodeGroup = "default";

const text = z.string().min(1).max(1024);
const globs = z.array(text).min(1).max(1000);

const localitySchema = z.strictObject({
  region: optional(text, "The region, with the wildcards of `ids`. Absent: any region."),
  zone: optional(text, "The zone, with the wildcards of `ids`. Absent: any zone."),
  subZone: optional(text, "The sub-zone, with the wildcards of `ids`. Absent: any sub-zone."),
});

const matchSchema = z
  .strictObject({
    ids: optional(globs, "Patterns of node ids. One must match. `*` stands for any text, `?` for any character."),
    clusters: optional(globs, "Patterns of node clusters, with the wildcards of `ids`. One must match."),
    locality: optional(localitySchema, "The locality in the proxy's node. Each given part must match."),
    metadata: optional(
      z.record(text, z.string().max(1024)),
      "Patterns of node metadata by key, with the wildcards of `ids`. The node must have each key, with a value that matches. Numbers and booleans are compared as text.",
    ),
  })
  .refine((match) => Object.values(match).some((condition) => condition !== undefined), {
    ...fault("FIELD_MISSING", 'must have at least one condition; `ids: ["*"]` matches every proxy'),
  });

export const nodeGroupSchema = z
  .strictObject({
    match: required(matchSchema, "The conditions for a proxy to belong to the group. All given conditions must hold."),
  })
  .meta({
    description: `Proxies that get the same configuration. A proxy belongs to the first matching group in the order of names, or to "${defaultNodeGroup}" when none matches.`,
  });

/** Proxies that get the same configuration. All given conditions must hold. A list holds when one of its patterns matches. */
export type NodeGroupSpec = Immutable<z.infer<typeof nodeGroupSchema>>;

/** The fields of a node that decide its group. */
type Grouped = Pick<Node, "id" | "cluster" | "metadata" | "locality">;

/** The node group of a proxy: the first matching one in the order of names, or `defaultNodeGroup`. */
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

/** Backtracks only to the last `*`. So the number of steps is at most the length of the glob times that of the text. */
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
