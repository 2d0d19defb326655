/** A path, and a parameter that was removed from its query. */
export class Taken {
  /** The path with the rest of its query. */
  rest: string;
  /** The parameter's first value as decoded bytes: "%2B" becomes "+". Null when the query has no such parameter. */
  value: ArrayBuffer | null;

  constructor(rest: string, value: ArrayBuffer | null) {
    this.rest = rest;
    this.value = value;
  }
}

/** Removes all parameters with a name from the query. The rest stays as it was, byte by byte. */
export function takenFrom(path: string, parameter: string): Taken {
  const query = path.indexOf("?");
  const start = `${parameter}=`;
  if (query < 0 || !path.includes(start, query)) return new Taken(path, null);
  const kept: string[] = [];
  let value: ArrayBuffer | null = null;
  const parts = path.substring(query + 1).split("&");
  for (let i = 0; i < parts.length; i++) {
    if (!parts[i].startsWith(start)) kept.push(parts[i]);
    else if (value === null) value = percentDecoded(parts[i].substring(start.length));
  }
  if (value === null) return new Taken(path, null);
  const before = path.substring(0, query);
  return new Taken(kept.length > 0 ? `${before}?${kept.join("&")}` : before, value);
}

function percentDecoded(text: string): ArrayBuffer {
  const encoded = Uint8Array.wrap(String.UTF8.encode(text));
  let size = 0;
  for (let i = 0; i < encoded.length; i++) {
    const high = encoded[i] === 0x25 /* % */ && i + 2 < encoded.length ? hexDigit(encoded[i + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(encoded[i + 2]);
    encoded[size++] = low < 0 ? encoded[i] : <u8>((high << 4) | low);
    if (low >= 0) i += 2;
  }
  return encoded.buffer.slice(0, size);
}

function hexDigit(unit: i32): i32 {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
