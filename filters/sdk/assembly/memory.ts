/** Where the host writes its answers: four words, 8-byte aligned. */
export const OUT: usize = memory.data(32, 8);

/** What the host hands over, and what is encoded for it, lives here until the callback ends. */
const ARENA_SIZE: usize = 32768;
const arenaStart: usize = heap.alloc(ARENA_SIZE);
const arenaEnd: usize = arenaStart + ARENA_SIZE;
let arenaNext: usize = arenaStart;

/** Blocks that did not fit into the arena: a list linked through their first word. */
let largeBlocks: usize = 0;

/** Memory that lives until the callback ends. */
export function allocate(size: usize): usize {
  const block = arenaNext;
  const next = (block + size + 7) & ~7;
  if (size <= ARENA_SIZE && next <= arenaEnd) {
    arenaNext = next;
    return block;
  }
  const large = heap.alloc(size + 8);
  store<usize>(large, largeBlocks);
  largeBlocks = large;
  return large + 8;
}

/** Bytes of the arena, or of the host, as an object of the filter's own. */
export function copied(from: usize, size: usize): ArrayBuffer {
  const bytes = changetype<ArrayBuffer>(__new(size, idof<ArrayBuffer>()));
  memory.copy(changetype<usize>(bytes), from, size);
  return bytes;
}

/** What the host just wrote, its address at `OUT` and its size after that, as an object of the filter's own. */
export function answered(): ArrayBuffer {
  return copied(load<usize>(OUT), load<usize>(OUT, 4));
}

function freeLargeBlocks(): void {
  while (largeBlocks !== 0) {
    const next = load<usize>(largeBlocks);
    heap.free(largeBlocks);
    largeBlocks = next;
  }
}

/** Counts callbacks, so that whatever was cached during one is known to be stale in the next. */
let callback: u64 = 0;
let pagesAtCollection: i32 = 0;

/** Names the running callback. */
export function currentCallback(): u64 {
  return callback;
}

/** Makes what was cached stale: from now on this callback is about another stream. */
export function forgetCached(): void {
  callback++;
}

/** The first thing in every exported callback. */
export function enter(): void {
  callback++;
  arenaNext = arenaStart;
  if (largeBlocks !== 0) freeLargeBlocks();
}

/**
 * The last thing in every exported callback. The minimal runtime collects only when told to, and may be told only here:
 * nothing on the stack refers to an object any more. It does so every 256 callbacks, and when memory had to grow.
 */
export function leave(): void {
  if ((callback & 255) === 0 || memory.size() > pagesAtCollection) {
    __collect();
    pagesAtCollection = memory.size();
  }
}
