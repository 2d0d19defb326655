import { proxy_log } from "./env";
import { LogLevelValues } from "./values";

/** A fixed buffer. `abort` must not allocate, because the module may be out of memory. */
const buffer: usize = memory.data(512);
const SIZE: usize = 512;

/** Runs on `throw`, on a failed assertion and on an index out of range: logs the message and the place, then traps. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  let end = append(buffer, "filter trapped: ");
  end = append(end, message);
  end = append(end, " at ");
  end = append(end, file);
  end = appendNumber(end, line);
  end = appendNumber(end, column);
  proxy_log(LogLevelValues.critical, buffer, end - buffer);
  unreachable();
}

function append(end: usize, text: string | null): usize {
  if (text === null) return end;
  for (let i = 0; i < text.length && end < buffer + SIZE; i++) {
    const unit = load<u16>(changetype<usize>(text) + ((<usize>i) << 1));
    store<u8>(end++, unit < 0x80 ? unit : 0x3f /* ? */);
  }
  return end;
}

function appendNumber(end: usize, value: u32): usize {
  end = append(end, ":");
  let scale: u32 = 1;
  while (value / scale >= 10) scale *= 10;
  for (; scale > 0 && end < buffer + SIZE; scale /= 10) store<u8>(end++, 0x30 + ((value / scale) % 10));
  return end;
}
