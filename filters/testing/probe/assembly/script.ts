/** Reads a script. Numbers have four bytes; texts begin with their length. */
export class Reader {
  at: usize;
  end: usize;

  constructor(at: usize, end: usize) {
    this.at = at;
    this.end = end;
  }

  byte(): u32 {
    return load<u8>(this.at++);
  }

  word(): u32 {
    const value = load<u32>(this.at);
    this.at += 4;
    return value;
  }

  text(): Text {
    const size = this.word();
    const text = new Text(this.at, size);
    this.at += size;
    return text;
  }
}

export class Text {
  at: usize;
  size: usize;

  constructor(at: usize, size: usize) {
    this.at = at;
    this.size = size;
  }
}

/** A buffer that grows as it is written. */
export class Writer {
  private bytes: StaticArray<u8> = new StaticArray<u8>(256);
  size: usize = 0;

  get at(): usize {
    return changetype<usize>(this.bytes);
  }

  byte(value: u32): void {
    this.reserve(1);
    store<u8>(this.at + this.size, value);
    this.size += 1;
  }

  word(value: u32): void {
    this.reserve(4);
    store<u32>(this.at + this.size, value);
    this.size += 4;
  }

  block(at: usize, size: usize): void {
    this.word(<u32>size);
    this.reserve(size);
    memory.copy(this.at + this.size, at, size);
    this.size += size;
  }

  private reserve(size: usize): void {
    const needed = this.size + size;
    if (needed <= <usize>this.bytes.length) return;
    const grown = new StaticArray<u8>(<i32>(needed * 2));
    memory.copy(changetype<usize>(grown), this.at, this.size);
    this.bytes = grown;
  }
}
