import { InvalidArgumentError } from "commander";
import { duration } from "../model/fields.ts";
import { type KindRow, kindOfPlural, kinds } from "../model/kinds.ts";
import { didYouMean } from "../model/nearest.ts";

/** An option's duration, such as "10s". */
export function readDuration(text: string): string {
  if (duration.safeParse(text).success) return text;
  throw new InvalidArgumentError('It must be a duration such as "500ms", "10s" or "1m".');
}

/** A share of the requests that leaves some for comparison: "1%" or "1". */
export function readPercent(text: string): number {
  const percent = /^(\d{1,2}(?:\.\d{1,4})?)%?$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) > 0) return Number(percent);
  throw new InvalidArgumentError("It must be more than 0% and less than 100%, such as 1% or 0.5%.");
}

/** An option that may be given several times. */
export function repeated(value: string, former: readonly string[] | undefined): readonly string[] {
  return [...(former ?? []), value];
}

/** A kind as people write it: "Cluster", "cluster", "clusters". */
export function readKind(text: string): KindRow {
  const folded = text.toLowerCase();
  const row = kindOfPlural(folded) ?? kinds.find(({ kind }) => kind.toLowerCase() === folded.replaceAll("-", ""));
  if (row !== undefined) return row;
  const plurals = kinds.map(({ plural }) => plural);
  throw new InvalidArgumentError(didYouMean(folded, plurals) ?? `Kinds are ${plurals.join(", ")}.`);
}

/** A revision's number. */
export function readRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a revision's number; `chancery revisions` lists them.");
}
