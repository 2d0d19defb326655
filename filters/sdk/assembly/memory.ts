/** The place where the host writes its results: four words, 8-byte aligned. */
export const OUT: usize = memory.data(32, 8);

/** The arena: data from the host, and data encoded for it, stay here until the callback ends. */
const ARENA_SIZE: usize = 32768;
const arenaStart: usize = heap.alloc(ARENA_SIZE);
const arenaEnd: usize = arenaStart + ARENA_SIZE;
let arenaNext: usize = arenaStart;

/** Blocks that did not fit into the arena: a list that is linked through their first words. */
let largeBlocks: usize = 0;

/** Allocates memory that is valid until the callback ends. */
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

/** Copies bytes of the arena into an object that the filter owns. */
export function copied(from: usize, size: usize): ArrayBuffer {
  const bytes = changetype<ArrayBuffer>(__new(size, idof<ArrayBuffer>()));
  memory.copy(changetype<usize>(bytes), from, size);
  return bytes;
}

/** Copies the bytes that the host just returned, by address and size at `OUT`, into an object that the filter owns. */
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

/** Counts callbacks, so that data cached during one callback is known to be stale in the next. */
let callback: u64 = 0;
let pagesAtCollection: i32 = 0;

/** The number of the running callback. */
export function currentCallback(): u64 {
  return callback;
}

/** Makes cached data stale, because host calls act on another stream from now on. */
export function forgetCached(): void {
  callback++;
}

/** Every exported callback calls this first. */
export function enter(): void {
  callback++;
  arenaNext = arenaStart;
  if (largeBlocks !== 0) freeLargeBlocks();
}

/**
 * Every exported callback calls this last. The minimal runtime collects garbage only on request. A request is safe only
 * here, where nothing on the stack refers to an object. It is made every 256 callbacks, and when the memory grew.
 */
export function leave(): void {
  if ((callback & 255) === 0 || memory.size() > pagesAtCollection) {
    __collect();
    pagesAtCollection = memory.size();
  }
}
