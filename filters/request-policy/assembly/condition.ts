/** What a text must be: one of these. */
@final
export class Condition {
  exact: string | null = null;
  prefix: string | null = null;
  suffix: string | null = null;
  /** Whether it must be there at all. Decides where none of the others is given. */
  present: bool = true;

  /** Whether a text that is there is as it must be. */
  accepts(text: string): bool {
    const exact = this.exact;
    if (exact !== null) return text === exact;
    const prefix = this.prefix;
    if (prefix !== null) return text.startsWith(prefix);
    const suffix = this.suffix;
    if (suffix !== null) return text.endsWith(suffix);
    return this.present;
  }
}
