import { Reader, Writer } from "./script";

/** The script of a stream, the values that it keeps between operations, and its record. */
export class Stream {
  scripted: bool = false;
  id: u32 = 0;
  record: Writer = new Writer();
  /** The ids of the metric, the queue and the shared value that the script used last. */
  metric: u32 = 0;
  queue: u32 = 0;
  cas: u32 = 0;
  private sections: Reader | null = null;
  /** How often each callback was called. */
  private calls: StaticArray<u8> = new StaticArray<u8>(16);

  /** Reads the script, which is in hexadecimal: an id, then sections of callback, occurrence and operations. */
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

  /** The operations for this call of a callback; null when there are none. */
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
