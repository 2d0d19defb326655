import { Reader, Writer } from "./script";

/** A stream's script, what it keeps between operations, and the record of what it saw. */
export class Stream {
  scripted: bool = false;
  id: u32 = 0;
  record: Writer = new Writer();
  /** Of the metric, the queue and the shared value that were touched last. */
  metric: u32 = 0;
  queue: u32 = 0;
  cas: u32 = 0;
  private sections: Reader | null = null;
  /** How often each callback came. */
  private calls: StaticArray<u8> = new StaticArray<u8>(16);

  /** Takes the script, in hexadecimal: a number, then sections of callback, occurrence and operations. */
  begin(at: usize, size: usize): void {
    const bytes = heap.alloc(size / 2);
    for (let i: usize = 0; i < size / 2; i++) {
      store<u8>(bytes + i, (digit(load<u8>(at + i * 2)) << 4) | digit(load<u8>(at + i * 2 + 1)));
    }
    heap.free(at);
    this.scripted = true;
    const reader = new Reader(bytes, bytes + size / 2);
    this.id = reader.word();
    this.sections = reader;
  }

  /** What to do in this occurrence of a callback. */
  section(callback: u32): Reader | null {
    const sections = this.sections;
    if (!sections) return null;
    const occurrence = this.calls[callback]++;
    const reader = new Reader(sections.at, sections.end);
    while (reader.at < reader.end) {
      const wanted = reader.byte() === callback;
      const now = reader.byte() === occurrence;
      const operations = reader.text();
      if (wanted && now) return new Reader(operations.at, operations.at + operations.size);
    }
    return null;
  }
}

function digit(character: u8): u8 {
  return character < 0x3a ? character - 0x30 : character - 0x57;
}
