/** The settings of one key. The key itself is not known, only its hash. */
export class Key {
  /** The client's name. It is passed to upstream, and is the value of a metric's tag. */
  name: string;
  /** Seconds since 1970; 0 for never. */
  expires: i64 = 0;
  /** The key is valid for paths with these prefixes; empty for all paths. */
  pathPrefixes: string[] = [];
  /** The key is valid for these methods; empty for all methods. */
  methods: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  allowsPath(path: string): bool {
    for (let i = 0; i < this.pathPrefixes.length; i++) if (path.startsWith(this.pathPrefixes[i])) return true;
    return this.pathPrefixes.length === 0;
  }
}

/** All keys by their SHA-256. */
export class Keys {
  private keys: Key[] = [];
  /** The hashes of the keys, in their order: 32 bytes each. */
  private hashes: StaticArray<u8>;

  constructor(room: i32) {
    this.hashes = new StaticArray<u8>(room << 5);
  }

  /** `hash` is 64 hexadecimal digits. */
  add(key: Key, hash: string): void {
    const at = this.at(this.keys.length);
    for (let i = 0; i < 32; i++) store<u8>(at + i, <u8>I32.parseInt(hash.substring(i << 1, (i << 1) + 2), 16));
    this.keys.push(key);
  }

  /**
   * The key with this hash of 32 bytes, or null. It compares all keys, and no branch depends on their values. So the
   * time does not reveal how much of a hash was right.
   */
  find(hash: usize): Key | null {
    let found = -1;
    for (let i = 0; i < this.keys.length; i++) {
      const at = this.at(i);
      const first = (load<u64>(at) ^ load<u64>(hash)) | (load<u64>(at, 8) ^ load<u64>(hash, 8));
      const last = (load<u64>(at, 16) ^ load<u64>(hash, 16)) | (load<u64>(at, 24) ^ load<u64>(hash, 24));
      // All bits are 1 when the hashes are equal, else 0.
      const equal = -(<i32>((first | last) === 0));
      found = (found & ~equal) | (i & equal);
    }
    return found < 0 ? null : this.keys[found];
  }

  private at(index: i32): usize {
    return changetype<usize>(this.hashes) + ((<usize>index) << 5);
  }
}
