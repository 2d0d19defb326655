// Header names and methods are ASCII; the language's own case functions bring the tables of Unicode along.

/** A to Z as a to z; all else stays. */
export function lowerCase(text: string): string {
  return shifted(text, 0x41 /* A */, 0x20);
}

/** a to z as A to Z; all else stays. */
export function upperCase(text: string): string {
  return shifted(text, 0x61 /* a */, -0x20);
}

/** Letters, digits, - and _ only. */
export function isWord(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const lower = unit | 0x20;
    const letterOrDigit = (lower >= 0x61 && lower <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
    if (!letterOrDigit && unit !== 0x2d /* - */ && unit !== 0x5f /* _ */) return false;
  }
  return true;
}

/** Whether a header may bear it: from space to tilde. */
export function isPrintable(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

/** Moves the 26 letters from `first` on by a distance. */
function shifted(text: string, first: i32, distance: i32): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isLetter = unit >= first && unit < first + 26;
    result += String.fromCharCode(isLetter ? unit + distance : unit);
  }
  return result;
}

/** A number in digits. `toString` would bring 1.5 kB of tables, for all radices and for speed. */
export function decimal(value: i32): string {
  let rest = <u32>(value < 0 ? -value : value);
  let digits = "";
  do {
    digits = String.fromCharCode(0x30 + <i32>(rest % 10)) + digits;
    rest /= 10;
  } while (rest > 0);
  return value < 0 ? `-${digits}` : digits;
}
