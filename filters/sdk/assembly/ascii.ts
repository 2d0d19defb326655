// Header names and methods are ASCII. The language's own case functions would add Unicode tables to the module.

/** Changes A to Z into a to z, and nothing else. */
export function lowerCase(text: string): string {
  return shifted(text, 0x41 /* A */, 0x20);
}

/** Changes a to z into A to Z, and nothing else. */
export function upperCase(text: string): string {
  return shifted(text, 0x61 /* a */, -0x20);
}

/** True when the text has only letters, digits, - and _. */
export function isWord(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const lower = unit | 0x20;
    const letterOrDigit = (lower >= 0x61 && lower <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
    if (!letterOrDigit && unit !== 0x2d /* - */ && unit !== 0x5f /* _ */) return false;
  }
  return true;
}

/** True when the text has only printable ASCII, from space to tilde: it can be the value of a header. */
export function isPrintable(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

/** Shifts the 26 letters that begin with `first` by a distance. */
function shifted(text: string, first: i32, distance: i32): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isLetter = unit >= first && unit < first + 26;
    result += String.fromCharCode(isLetter ? unit + distance : unit);
  }
  return result;
}

/** Writes a number in decimal digits. `toString` would add 1.5 kB of tables to the module. */
export function decimal(value: i32): string {
  let rest = <u32>(value < 0 ? -value : value);
  let digits = "";
  do {
    digits = String.fromCharCode(0x30 + <i32>(rest % 10)) + digits;
    rest /= 10;
  } while (rest > 0);
  return value < 0 ? `-${digits}` : digits;
}
