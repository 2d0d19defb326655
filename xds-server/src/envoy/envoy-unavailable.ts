import { problemOf } from "../model/problem.ts";
import { ProblemsError } from "../model/problems-error.ts";

type EnvoyCode =
  /** `$CHANCERY_ENVOY` names something that is not a supported Envoy. */
  | "ENVOY_UNSUPPORTED"
  /** No Envoy was found, and none could be fetched. */
  | "ENVOY_FETCH_FAILED";

/** There is no Envoy to run. The message is one sentence with the cause and what to do. */
export function envoyUnavailable(code: EnvoyCode, message: string): ProblemsError {
  return new ProblemsError([problemOf({ code, message })]);
}
