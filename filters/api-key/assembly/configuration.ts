import { isWord, JsonValue, lowerCase, readMethods, readPath } from "@chancery/filter-sdk";
import { readExpiry } from "./expiry";
import { Key, Keys } from "./keys";
import { Exemption, Settings } from "./settings";

/** Each request is compared with every key. */
const MOST_KEYS: i32 = 1000;

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readSettings(json: JsonValue): Settings {
  json.onlyMembers(["keys", "header", "query", "identityHeader", "exempt", "body"]);
  const body = json.member("body");
  const settings = new Settings(
    readKeys(json.member("keys")),
    body.exists && body.asOneOf(["text", "json"]) === "json",
  );
  const header = json.member("header");
  const query = json.member("query");
  const identityHeader = json.member("identityHeader");
  const exempt = json.member("exempt");
  if (header.exists) settings.header = lowerCase(readWord(header));
  if (query.exists) settings.query = readWord(query);
  if (identityHeader.exists) settings.identityHeader = lowerCase(readWord(identityHeader));
  if (settings.header === settings.identityHeader) json.fault("header and identityHeader should not be the same");
  if (!exempt.exists) return settings;
  const elements = exempt.asArray();
  for (let i = 0; i < elements.length; i++) settings.exempt.push(readExemption(elements[i]));
  return settings;
}

function readKeys(json: JsonValue): Keys {
  const elements = json.asArray();
  if (elements.length > MOST_KEYS) json.fault(`should be at most ${MOST_KEYS.toString()} keys`);
  const keys = new Keys(elements.length);
  const hashes: string[] = [];
  for (let i = 0; i < elements.length; i++) {
    elements[i].onlyMembers(["name", "sha256", "expires", "pathPrefixes", "methods"]);
    const key = readKey(elements[i]);
    const hash = readHash(elements[i].member("sha256"), hashes);
    keys.add(key, hash);
  }
  return keys;
}

function readKey(json: JsonValue): Key {
  const name = json.member("name");
  const expires = json.member("expires");
  const prefixes = json.member("pathPrefixes");
  const methods = json.member("methods");
  const key = new Key(readWord(name));
  if (key.name === "unknown") name.fault('"unknown" is reserved for clients without a valid key');
  if (expires.exists) key.expires = readExpiry(expires);
  if (prefixes.exists) {
    const elements = prefixes.asArray();
    if (elements.length === 0) prefixes.fault("should name a prefix; leave it out to allow all paths");
    for (let i = 0; i < elements.length; i++) key.pathPrefixes.push(readPath(elements[i]));
  }
  if (methods.exists) key.methods = readMethods(methods);
  return key;
}

function readHash(json: JsonValue, taken: string[]): string {
  const hash = json.asString();
  if (!json.isString) return hash;
  if (!isHash(hash)) json.fault("should be a SHA-256: 64 digits of 0-9, a-f");
  else if (taken.includes(hash)) json.fault("another key has the same hash");
  taken.push(hash);
  return hash;
}

function readExemption(json: JsonValue): Exemption {
  json.onlyMembers(["path", "pathPrefix"]);
  const path = json.member("path");
  const prefix = json.member("pathPrefix");
  if (path.exists === prefix.exists) json.fault("should name one of path, pathPrefix");
  return prefix.exists ? new Exemption(readPath(prefix), true) : new Exemption(readPath(path), false);
}

/** Reads the name of a client, a header or a parameter. */
function readWord(json: JsonValue): string {
  const word = json.asString();
  const good = word !== "" && word.length <= 64 && isWord(word);
  if (json.isString && !good) json.fault("should be 1 to 64 letters, digits, - or _");
  return word;
}

function isHash(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!(unit >= 0x30 && unit <= 0x39) && !(unit >= 0x61 && unit <= 0x66)) return false;
  }
  return text.length === 64;
}
