/** A condition on a text. At most one of `exact`, `prefix` and `suffix` is set. */
@final
export class Condition {
  exact: string | null = null;
  prefix: string | null = null;
  suffix: string | null = null;
  /** True when the text must exist, false when it must not. Used when none of the others is set. */
  present: bool = true;

  /** True when an existing text fulfils the condition. */
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
