import { isCollection, type Pair, parseAllDocuments, visit, type YAMLMap, type Document as YamlDocument } from "yaml";
import type { Problem } from "../model/problem.ts";
import { bodyFault, maxBodyDepth, maxBodyFaults } from "./body-faults.ts";
import { Refusal, refusal, shortened } from "./problem-json.ts";

/**
 * Reading YAML can cost the square of its length (long quoted texts, many errors), so a body is short; JSON may be as
 * long as the server takes.
 */
const maxYamlLength = 1024 * 1024;
/** Aliases are looked up one by one, and can stand for each other without end. */
const maxAliases = 100;

/** The values of the YAML documents in a body, empty documents left out. Throws the refusal of what is not YAML. */
export function readYaml(text: string): readonly unknown[] {
  if (text.length > maxYamlLength) {
    throw refusal(413, "BODY_TOO_LARGE", `Cannot read the body: YAML may have ${maxYamlLength} characters at most`, {
      hint: "send JSON (content-type: application/json), or fewer documents at once",
    });
  }
  try {
    // uniqueKeys costs the square of a mapping's length: refuseFaults finds keys given twice.
    const documents: YamlDocument[] = [...parseAllDocuments(text, { uniqueKeys: false, stringKeys: true })];
    const problems = documents.flatMap((document) => document.errors.slice(0, maxBodyFaults).map(yamlProblem));
    if (problems.length > 0) throw new Refusal(400, problems.slice(0, maxBodyFaults));
    for (const document of documents) refuseFaults(document, text);
    const values: readonly unknown[] = documents.map((document) => document.toJS({ maxAliasCount: maxAliases }));
    return values.filter((value) => value !== null && value !== undefined);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // Nesting too deep overflows the reader's stack: the body's fault, nobody else's.
    if (error instanceof RangeError) throw new Refusal(400, [bodyFault("too-deep", "")]);
    if (error instanceof ReferenceError)
      throw refusal(400, "YAML_INVALID", `Cannot read the body as YAML: ${error.message}`);
    throw error;
  }
}

/** What the reader lets pass: nesting, aliases without end, keys given twice, `__proto__`. */
function refuseFaults(document: YamlDocument, text: string): void {
  const faults: Problem[] = [];
  let aliases = 0;
  visit(document, {
    Alias() {
      aliases++;
      if (aliases <= maxAliases) return;
      throw refusal(400, "YAML_INVALID", `Cannot read the body as YAML: it has more than ${maxAliases} aliases`);
    },
    Collection(_key, _node, path) {
      if (path.filter(isCollection).length >= maxBodyDepth) throw new Refusal(400, [bodyFault("too-deep", "")]);
    },
    Map(_key, node, path) {
      if (path.filter(isCollection).length >= maxBodyDepth) throw new Refusal(400, [bodyFault("too-deep", "")]);
      faults.push(...keyFaults(node, text));
    },
  });
  if (faults.length > 0) throw new Refusal(400, faults.slice(0, maxBodyFaults));
}

function keyFaults({ items }: YAMLMap, text: string): readonly Problem[] {
  const seen = new Set<string>();
  return items.flatMap((pair: Pair) => {
    const key = String(pair.key);
    const isTwice = seen.has(key);
    seen.add(key);
    if (!isTwice && key !== "__proto__") return [];
    const range = typeof pair.key === "object" && pair.key !== null && "range" in pair.key ? pair.key.range : undefined;
    const offset = Array.isArray(range) ? Number(range[0]) : 0;
    const source = `body:${text.slice(0, offset).split("\n").length}`;
    return [{ ...bodyFault(isTwice ? "duplicate-key" : "forbidden-key", shortened(key)), source }];
  });
}

interface YamlError {
  readonly message: string;
  readonly linePos?: readonly { readonly line: number }[] | undefined;
}

function yamlProblem({ message, linePos }: YamlError): Problem {
  if (message.startsWith("Maximum call stack")) return bodyFault("too-deep", "");
  const [first = message] = message.split("\n");
  const cause = shortened(first.replace(/ at line \d+, column \d+:?$/, ""));
  const line = linePos?.[0]?.line;
  return {
    code: "YAML_INVALID",
    message: `Cannot read the body as YAML: ${cause}`,
    path: "",
    ...(line === undefined ? {} : { source: `body:${line}` }),
  };
}
