/** One entry, in Markdown: what changed for users and what to do. */
export interface Entry {
  /** "route-during-canary.md" */
  readonly file: string;
  readonly text: string;
}

/** The changelog with the entries in the section of a release: its first section when that is not released yet, or else a new one. */
export function released(changelog: string, version: string, date: string, entries: readonly Entry[]): string {
  const heading = `## ${version} (${date})`;
  const lines = entries.map(({ text }) => listed(text)).join("");
  const [head = "", ...sections] = changelog.split(/^(?=## )/m);
  const [first = ""] = sections;
  if (first.startsWith(`## ${version} (not released)`)) {
    const body = first.slice(first.indexOf("\n")).trimEnd();
    return `${head}${heading}${body}\n${lines}${sections.length > 1 ? "\n" : ""}${sections.slice(1).join("")}`;
  }
  if (sections.some((section) => section.startsWith(`## ${version} `))) {
    throw new Error(`Cannot release ${version}: CHANGELOG.md has a section for it`);
  }
  return `${head}${heading}\n\n${lines}${sections.length > 0 ? "\n" : ""}${sections.join("")}`;
}

/** An item of a list. Its further lines are indented. */
function listed(text: string): string {
  return `- ${text.trim().replaceAll(/\n(?=.)/g, "\n  ")}\n`;
}
