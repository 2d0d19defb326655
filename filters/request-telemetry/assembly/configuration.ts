import { JsonValue } from "@chancery/filter-sdk";

/** The tags in the order that they have in a stat's name. */
export const tagNames: string[] = ["route", "status", "peer"];
/** The index of each tag in `tagNames`. */
export enum Tag {
  Route,
  Status,
  Peer,
}

@final
export class Settings {
  maxSeries: i32 = 1000;
  /** A bit for each tag that is used, by its index in `tagNames`. */
  tags: i32 = (1 << Tag.Route) | (1 << Tag.Status);
  /** True when bytes are measured. */
  sizes: bool = false;
}

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readSettings(json: JsonValue): Settings {
  const settings = new Settings();
  json.onlyMembers(["maxSeries", "tags", "sizes"]);
  const limit = json.member("maxSeries");
  const tags = json.member("tags");
  const sizes = json.member("sizes");
  if (limit.exists) settings.maxSeries = limit.asInteger(1, 100000);
  if (tags.exists) settings.tags = readTags(tags);
  if (sizes.exists) settings.sizes = sizes.asBoolean();
  return settings;
}

function readTags(json: JsonValue): i32 {
  let tags = 0;
  const elements = json.asArray();
  for (let i = 0; i < elements.length; i++) {
    const bit = 1 << tagNames.indexOf(elements[i].asOneOf(tagNames));
    if ((tags & bit) !== 0) elements[i].fault(`"${elements[i].text}" appears twice`);
    tags |= bit;
  }
  return tags;
}
