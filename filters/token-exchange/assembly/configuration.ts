import { HeaderPair, isPrintable, isWord, JsonValue, lowerCase } from "@chancery/filter-sdk";
import { GivenHeader, Settings } from "./settings";

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readSettings(json: JsonValue): Settings {
  json.onlyMembers(["cluster", "request", "credential", "deadlineMs", "set", "cache", "limits", "onFailure", "body"]);
  const body = json.member("body");
  const settings = new Settings();
  settings.json = body.exists && body.asOneOf(["text", "json"]) === "json";
  settings.cluster = readText(json.member("cluster"));
  if (json.member("credential").exists) settings.credential = readName(json.member("credential"));
  settings.deadlineMs = json.member("deadlineMs").asInteger(1, 60_000);
  readRequest(json.member("request"), settings);
  readSet(json.member("set"), settings);
  readCache(json.member("cache"), settings);
  readLimits(json.member("limits"), settings);
  const onFailure = json.member("onFailure");
  settings.allowsUnanswered = onFailure.exists && onFailure.asOneOf(["deny", "allow"]) === "allow";
  return settings;
}

function readRequest(json: JsonValue, settings: Settings): void {
  json.onlyMembers(["method", "path", "authority", "headers"]);
  const method = json.member("method");
  const path = json.member("path");
  const authority = json.member("authority");
  const headers = json.member("headers");
  settings.callHeaders = [
    HeaderPair.of(":method", method.exists ? method.asOneOf(["GET", "POST"]) : "GET"),
    HeaderPair.of(":path", readText(path)),
    HeaderPair.of(":authority", authority.exists ? readText(authority) : settings.cluster),
  ];
  if (path.isString && !path.text.startsWith("/")) path.fault(`should start with "/", is "${path.text}"`);
  if (!headers.exists) return;
  // All names are allowed; this checks that it is an object.
  headers.onlyMembers(headers.names);
  for (let i = 0; i < headers.names.length; i++) {
    const name = lowerCase(headers.names[i]);
    if (!isName(name)) headers.values[i].fault("has a name that should be 1 to 64 letters, digits, - or _");
    else if (name === settings.credential) headers.values[i].fault("is the credential's header");
    settings.callHeaders.push(HeaderPair.of(name, readText(headers.values[i])));
  }
}

function readSet(json: JsonValue, settings: Settings): void {
  const elements = json.asArray();
  if (elements.length > 16) json.fault("should be at most 16 headers");
  for (let i = 0; i < elements.length; i++) {
    elements[i].onlyMembers(["name", "member", "header", "prefix"]);
    const name = elements[i].member("name");
    const member = elements[i].member("member");
    const header = elements[i].member("header");
    const prefix = elements[i].member("prefix");
    const set = new GivenHeader(readName(name));
    for (let before = 0; before < i; before++) {
      if (settings.given[before].name === set.name) name.fault(`"${set.name}" is set twice`);
    }
    if (member.exists === header.exists) elements[i].fault("should name one of member, header");
    if (member.exists) set.member = readText(member);
    if (header.exists) set.header = readName(header);
    if (prefix.exists) set.prefix = readText(prefix);
    settings.given.push(set);
  }
}

function readCache(json: JsonValue, settings: Settings): void {
  if (!json.exists) return;
  json.onlyMembers(["seconds", "deniedSeconds", "entries"]);
  const seconds = json.member("seconds");
  const deniedSeconds = json.member("deniedSeconds");
  const entries = json.member("entries");
  if (seconds.exists) settings.keptMs = <i64>seconds.asInteger(0, 86_400) * 1000;
  if (deniedSeconds.exists) settings.deniedKeptMs = <i64>deniedSeconds.asInteger(0, 3600) * 1000;
  if (entries.exists) settings.entries = entries.asInteger(1, 2000);
}

function readLimits(json: JsonValue, settings: Settings): void {
  if (!json.exists) return;
  json.onlyMembers(["calls", "waiting"]);
  const calls = json.member("calls");
  const waiting = json.member("waiting");
  if (calls.exists) settings.mostCalls = calls.asInteger(1, 10_000);
  if (waiting.exists) settings.mostWaiting = waiting.asInteger(1, 10_000);
}

/** Reads the name of a header, in lower case. */
function readName(json: JsonValue): string {
  const name = lowerCase(json.asString());
  if (json.isString && !isName(name)) json.fault("should be 1 to 64 letters, digits, - or _");
  return name;
}

function isName(name: string): bool {
  return name !== "" && name.length <= 64 && isWord(name);
}

function readText(json: JsonValue): string {
  const text = json.asString();
  if (json.isString && (text === "" || text.length > 256 || !isPrintable(text))) {
    json.fault("should be 1 to 256 printable ASCII characters");
  }
  return text;
}
