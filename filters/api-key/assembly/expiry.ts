import { JsonKind, JsonValue } from "@chancery/filter-sdk";

/** Reads a time: RFC 3339, or whole seconds since 1970. Returns seconds since 1970. */
export function readExpiry(json: JsonValue): i64 {
  const isUnixTime = json.kind === JsonKind.Number && json.text.length <= 11;
  const seconds = isUnixTime ? digits(json.text, 0, json.text.length) : json.isString ? secondsOf(json.text) : -1;
  if (seconds <= 0) json.fault('should be a time after 1970: "2027-01-31T00:00:00Z", or whole seconds since 1970');
  return seconds;
}

/**
 * Parses RFC 3339: "2027-01-31T12:00:00Z". A fraction of a second is dropped. Returns -1 when the text is not RFC 3339.
 */
function secondsOf(text: string): i64 {
  if (text.length < 20 || text.charAt(4) !== "-" || text.charAt(7) !== "-" || text.charAt(10) !== "T") return -1;
  if (text.charAt(13) !== ":" || text.charAt(16) !== ":") return -1;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(<i32>month, <i32>year)) return -1;
  // 60 is a leap second.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
  let at = 19;
  if (text.charAt(at) === ".") {
    at++;
    const start = at;
    while (at < text.length && digits(text, at, at + 1) >= 0) at++;
    if (at === start) return -1;
  }
  const offset = offsetAt(text, at);
  if (offset === NO_OFFSET) return -1;
  return ((daysBefore(<i32>year, <i32>month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second - offset;
}

const NO_OFFSET: i64 = i64.MAX_VALUE;

/** Parses the offset from UTC at the end of the text, "Z" or "+01:00". Returns seconds. */
function offsetAt(text: string, at: i32): i64 {
  const sign = text.charAt(at);
  if (sign === "Z") return at + 1 === text.length ? 0 : NO_OFFSET;
  if ((sign !== "+" && sign !== "-") || text.length !== at + 6 || text.charAt(at + 3) !== ":") return NO_OFFSET;
  const hours = digits(text, at + 1, at + 3);
  const minutes = digits(text, at + 4, at + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return NO_OFFSET;
  const seconds = hours * 3600 + minutes * 60;
  return sign === "-" ? -seconds : seconds;
}

/** Parses digits. Returns -1 when there are other characters. */
function digits(text: string, from: i32, to: i32): i64 {
  let number: i64 = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** The number of days from the start of 1970 to the start of a month. */
function daysBefore(year: i32, month: i32): i64 {
  let days: i64 = 0;
  for (let each = 1970; each < year; each++) days += isLeap(each) ? 366 : 365;
  for (let each = 1; each < month; each++) days += daysIn(each, year);
  return days;
}

function daysIn(month: i32, year: i32): i32 {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeap(year: i32): bool {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
