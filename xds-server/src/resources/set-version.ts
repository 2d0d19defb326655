import { createHash } from "node:crypto";
import type { Resource, ResourceSet, Version } from "./snapshot.ts";

const known = new WeakMap<ResourceSet, Version>();
const weights = new WeakMap<Resource, Weight>();

/** A 64-bit hash as two signed 32-bit halves. */
interface Weight {
  readonly high: number;
  readonly low: number;
}

/**
 * The version of a whole set. It is equal for equal resources in equal versions, so it stays the same after a restart. It
 * is a sum of hashes: a set of thousands costs thousands of additions, but only new resources are hashed.
 */
export function setVersion(set: ResourceSet): Version {
  const found = known.get(set);
  if (found !== undefined) return found;
  let high = 0;
  let low = 0;
  for (const resource of set.values()) {
    const weight = weightOf(resource);
    high = (high + weight.high) | 0;
    low = (low + weight.low) | 0;
  }
  const version = hexadecimal(high) + hexadecimal(low);
  known.set(set, version);
  return version;
}

function weightOf(resource: Resource): Weight {
  const found = weights.get(resource);
  if (found !== undefined) return found;
  const digest = createHash("sha256").update(`${resource.name}\0${resource.version}`).digest();
  const weight = { high: digest.readInt32BE(0), low: digest.readInt32BE(4) };
  weights.set(resource, weight);
  return weight;
}

const hexadecimal = (half: number): string => (half >>> 0).toString(16).padStart(8, "0");
