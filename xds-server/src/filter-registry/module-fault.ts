/** Why a module, its manifest or a configuration is rejected, in words for the filter's author. */
export interface ModuleFault {
  /** A stable code, explained in docs/PROBLEMS.md. */
  readonly code: string;
  /** What is wrong, as said of the module: "has a start section". */
  readonly message: string;
  /** What to do, where the message does not say it. */
  readonly hint?: string;
  /** Where in the manifest or the configuration: "rules[0].action". Absent for the whole. */
  readonly path?: string;
  /** What stands there, shortened. */
  readonly found?: string;
}
