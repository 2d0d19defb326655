/** A set of hashes of names, with open addressing. It is at most half full. */
@final
export class NameSet {
  private places: StaticArray<u64> = new StaticArray<u64>(32);
  private count: i32 = 0;

  /** Adds a hash. False when the set already contains it. */
  add(hash: u64): bool {
    // 0 is an empty place.
    const kept = hash === 0 ? 1 : hash;
    if (++this.count << 1 > this.places.length) this.grow();
    return NameSet.place(this.places, kept);
  }

  private grow(): void {
    const grown = new StaticArray<u64>(this.places.length << 1);
    for (let i = 0; i < this.places.length; i++) {
      if (unchecked(this.places[i]) !== 0) NameSet.place(grown, unchecked(this.places[i]));
    }
    this.places = grown;
  }

  private static place(places: StaticArray<u64>, hash: u64): bool {
    const mask = places.length - 1;
    let at = <i32>(hash >> 32) & mask;
    for (; unchecked(places[at]) !== 0; at = (at + 1) & mask) if (unchecked(places[at]) === hash) return false;
    unchecked((places[at] = hash));
    return true;
  }
}
