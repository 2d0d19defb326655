const suppression = /biome-ignore.*/g;
/** One rule by its full name, and not a rule that holds a border. */
const ofOneRule =
  /^biome-ignore(?:-start|-end)? lint\/(?!style\/noRestricted|suspicious\/noImportCycles|plugin)[a-zA-Z]+\/[a-zA-Z]+: \S/;

/**
 * The comments that switch Biome off where it holds borders. Pure rooms may have none at all; elsewhere each names one rule
 * that is no border.
 */
export function forbiddenSuppressions(text: string, { pure }: { readonly pure: boolean }): readonly string[] {
  return [...text.matchAll(suppression)].map(([found]) => found).filter((found) => pure || !ofOneRule.test(found));
}
