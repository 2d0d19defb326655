import { createHash } from "node:crypto";
import type { Resource, ResourceSet, Version } from "./snapshot.ts";

const known = new WeakMap<ResourceSet, Version>();
const weights = new WeakMap<Resource, Weight>();

/** 64 bits of a hash, as two halves. */
interface Weight {
  readonly high: number;
  readonly low: number;
}

/**
 * The version of a whole set: the same for the same resources in the same versions, so that it too survives a restart.
 * It is a sum of hashes, so that a set of thousands costs as many additions, and only what is new is hashed.
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
