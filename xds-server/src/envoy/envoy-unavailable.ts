/** There is no Envoy to run. The message is one sentence with the cause and what to do. */
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
  /** No Envoy was found, and none could be fetched. */
  | "ENVOY_FETCH_FAILED";
