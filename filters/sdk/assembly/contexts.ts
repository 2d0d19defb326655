import { BaseContext } from "./base-context";

/**
 * The contexts by their id: a hash table. Envoy counts ids up from 1, so the low bits of an id are a good hash. A
 * collision takes the next free place. The table is always less than half full.
 */
let ids = new StaticArray<u32>(64);
let values = new StaticArray<BaseContext | null>(64);
let count: u32 = 0;

/** The context with this id, or null. */
export function findContext(id: u32): BaseContext | null {
  const mask: u32 = ids.length - 1;
  let at = id & mask;
  while (unchecked(ids[at]) !== id) {
    if (unchecked(ids[at]) === 0) return null;
    at = (at + 1) & mask;
  }
  return unchecked(values[at]);
}

export function addContext(context: BaseContext): void {
  if (++count << 1 > <u32>ids.length) grow();
  place(context.context_id, context);
}

export function removeContext(id: u32): void {
  const mask: u32 = ids.length - 1;
  let hole = id & mask;
  while (unchecked(ids[hole]) !== id) {
    if (unchecked(ids[hole]) === 0) return;
    hole = (hole + 1) & mask;
  }
  count--;
  // An entry that a collision placed after the hole moves into it.
  for (let at = (hole + 1) & mask; unchecked(ids[at]) !== 0; at = (at + 1) & mask) {
    const home = unchecked(ids[at]) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    unchecked((ids[hole] = ids[at]));
    unchecked((values[hole] = values[at]));
    hole = at;
  }
  unchecked((ids[hole] = 0));
  unchecked((values[hole] = null));
}

function place(id: u32, context: BaseContext): void {
  const mask: u32 = ids.length - 1;
  let at = id & mask;
  while (unchecked(ids[at]) !== 0) at = (at + 1) & mask;
  unchecked((ids[at] = id));
  unchecked((values[at] = context));
}

function grow(): void {
  const oldIds = ids;
  const oldValues = values;
  ids = new StaticArray<u32>(oldIds.length << 1);
  values = new StaticArray<BaseContext | null>(oldIds.length << 1);
  for (let at = 0; at < oldIds.length; at++) {
    const context = unchecked(oldValues[at]);
    if (context !== null) place(context.context_id, context);
  }
}
