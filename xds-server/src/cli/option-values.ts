import { InvalidArgumentError } from "commander";
import { duration } from "../model/fields.ts";
import { type KindRow, kindOfPlural, kinds } from "../model/kinds.ts";
import { nearest } from "../model/nearest.ts";

/** Reads a duration, such as "10s". */
export function readDuration(text: string): string {
  if (duration.safeParse(text).success) return text;
  throw new InvalidArgumentError('It must be a duration such as "500ms", "10s" or "1m".');
}

/** Reads a share of the requests, "1%" or "1". It is below 100%, because the old version needs requests for comparison. */
export function readPercent(text: string): number {
  const percent = /^(\d{1,2}(?:\.\d{1,4})?)%?$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) > 0) return Number(percent);
  throw new InvalidArgumentError("It must be more than 0% and less than 100%, such as 1% or 0.5%.");
}

/** Collects the values of an option that may be given several times. */
export function repeated(value: string, former: readonly string[] | undefined): readonly string[] {
  return [...(former ?? []), value];
}

/** Reads a kind: "Cluster", "cluster" or "clusters". */
export function readKind(text: string): KindRow {
  const folded = text.toLowerCase();
  const row = kindOfPlural(folded) ?? kinds.find(({ kind }) => kind.toLowerCase() === folded.replaceAll("-", ""));
  if (row !== undefined) return row;
  const meant = nearest(
    folded,
    kinds.flatMap(({ kind, plural }) => [plural, kind.toLowerCase()]),
  );
  const plurals = kinds.map(({ plural }) => plural).join(", ");
  throw new InvalidArgumentError(meant === undefined ? `Kinds are ${plurals}.` : `Did you mean "${meant}"?`);
}

/** Reads the number of a revision. */
export function readRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be the number of a revision; `chancery revisions` lists them.");
}
