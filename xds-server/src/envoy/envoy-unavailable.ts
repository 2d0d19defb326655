/** Why there is no Envoy to run. Its message is one sentence with the way out. */
export class EnvoyUnavailable extends Error {
  override readonly name = "EnvoyUnavailable";
  readonly code: EnvoyUnavailableCode;

  constructor(code: EnvoyUnavailableCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type EnvoyUnavailableCode =
  /** `$CHANCERY_ENVOY` names something that is not a supported Envoy. */
  | "ENVOY_UNSUPPORTED"
  /** There was none, and it could not be fetched. */
  | "ENVOY_FETCH_FAILED";
