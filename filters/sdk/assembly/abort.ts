import { proxy_log } from "./env";
import { LogLevelValues } from "./values";

/** Allocates nothing: memory may be what ran out. */
const buffer: usize = memory.data(512);
const SIZE: usize = 512;

/** What `throw`, a failed assertion and an index out of range do: say where, then trap. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  let end = append(buffer, "filter trapped: ");
  if (message) end = append(end, message);
  end = append(end, " at ");
  if (file) end = append(end, file);
  end = appendNumber(append(end, ":"), line);
  end = appendNumber(append(end, ":"), column);
  proxy_log(LogLevelValues.critical, buffer, end - buffer);
  unreachable();
}

function append(at: usize, text: string): usize {
  const length = min<usize>(text.length, buffer + SIZE - at);
  for (let i: usize = 0; i < length; i++) {
    const unit = load<u16>(changetype<usize>(text) + (i << 1));
    store<u8>(at + i, unit < 0x80 ? unit : 0x3f /* ? */);
  }
  return at + length;
}

function appendNumber(at: usize, value: u32): usize {
  let scale: u32 = 1;
  while (value / scale >= 10) scale *= 10;
  for (; scale > 0 && at < buffer + SIZE; scale /= 10) store<u8>(at++, 0x30 + ((value / scale) % 10));
  return at;
}
