import { type Problem, problemOf } from "../model/problem.ts";
import type { TextFault } from "../reading/text-fault.ts";
import { readYaml } from "../reading/yaml.ts";
import { bodyFault, maxBodyDepth, maxBodyFaults } from "./body-faults.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";

/**
 * The maximum length of a YAML body, in characters. The time to read YAML can grow with the square of its length (long
 * quoted texts, many errors). JSON may be as long as `maxBodyBytes`.
 */
const maxYamlLength = 1024 * 1024;
const maxAliases = 100;

/** The values of the YAML documents in a body, without empty documents. Throws a rejection if the body is not YAML. */
export function readYamlValues(text: string): readonly unknown[] {
  if (text.length > maxYamlLength) {
    throw requestError(
      413,
      "BODY_TOO_LARGE",
      `Cannot read the body: YAML may have at most ${maxYamlLength} characters`,
      {
        hint: "send JSON (content-type: application/json), or fewer documents at once",
      },
    );
  }
  const read = readYaml(text, { maxAliases, maxDepth: maxBodyDepth });
  if (!read.ok) throw new RequestError(400, read.faults.slice(0, maxBodyFaults).map(textProblem));
  return read.values.map(({ value }) => value);
}

function textProblem({ what, message, path = "", line }: TextFault): Problem {
  const source = `body:${line}`;
  if (what !== "syntax") return bodyFault(what, shortened(path), source);
  const fault = { code: "YAML_INVALID", message: shortened(message) } as const;
  return problemOf(fault, { action: "Cannot read the body as YAML", source });
}
