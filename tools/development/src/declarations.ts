import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The declarations that a module exports, by name. A function with overloads has several. */
export type Exports = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the exports of a file of emitted declarations (`.d.ts`), also those from other files of its package. Comments and
 * private members are left out. TypeScript 7 has no API for this, but in its emitted files each statement begins at the
 * margin. Throws for an export that it cannot follow.
 */
export function exportsOf(file: string): Exports {
  const found = new Map<string, readonly string[]>();
  /** All declarations of the file, exported or not. */
  const own = new Map<string, readonly string[]>();
  /** The module of each imported name. */
  const imports = new Map<string, string>();
  const lists: RegExpExecArray[] = [];
  for (const statement of statementsOf(readFileSync(file, "utf8"))) {
    const list = exportList.exec(statement);
    const [, name] = declaration.exec(statement) ?? [];
    if (list !== null) lists.push(list);
    else if (statement.startsWith("import ")) {
      const { names = "", module = "" } = importList.exec(statement)?.groups ?? {};
      for (const each of namesIn(names)) imports.set(each, module);
    } else if (name !== undefined) {
      own.set(name, [...(own.get(name) ?? []), statement]);
      if (statement.startsWith("export ")) found.set(name, own.get(name) ?? []);
    } else if (statement.startsWith("export ")) throw new Error(`Cannot read an export of ${file}: ${statement}`);
  }
  for (const { groups = {} } of lists) {
    const { names, module } = groups;
    const from = module === undefined ? withImported(own, file, imports, names ?? "") : exportsOf(beside(file, module));
    for (const [name, texts] of names === undefined ? from : listed(file, names, from)) found.set(name, texts);
  }
  return found;
}

const declaration =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|const|enum|function|interface|let|namespace|type|var) ([\w$]+)/;
const importList = /^import (?:type )?\{(?<names>[^}]*)\} from "(?<module>[^"]+)";$/;
const exportList = /^export (?:type )?(?:\*|\{(?<names>[^}]*)\})(?: from "(?<module>[^"]+)")?;$/;

/** The declarations of another file, which is imported as "./name.ts" or "./name.js". */
const beside = (file: string, module: string): string => join(dirname(file), module.replace(/\.[jt]s$/, ".d.ts"));

const namesIn = (list: string): readonly string[] =>
  list
    .split(",")
    .map((each) => each.trim().replace(/^type /, ""))
    .filter((each) => each !== "");

/** Adds the names that the file imports from its own package, which it may export by a list. */
function withImported(own: Exports, file: string, imports: ReadonlyMap<string, string>, names: string): Exports {
  const all = new Map(own);
  for (const each of namesIn(names)) {
    const [name = ""] = each.split(" as ");
    const module = imports.get(name);
    if (module?.startsWith(".")) all.set(name, exportsOf(beside(file, module)).get(name) ?? []);
  }
  return all;
}

/** The exports of a list such as `{ a, type B as C }`. */
function listed(file: string, names: string, from: Exports): Exports {
  return new Map(
    namesIn(names).map((entry) => {
      const [name = "", as = name] = entry.split(" as ");
      const texts = from.get(name)?.map((text) => `export ${text.replace(/^export /, "")}`);
      if (texts === undefined) throw new Error(`Cannot find "${name}", which ${file} exports`);
      return [as, as === name ? texts : [...texts, `export { ${name} as ${as} };`]];
    }),
  );
}

/** The beginning of a statement. Other lines at the margin continue the statement before. */
const beginning = /^(?:export|declare|import|abstract|class|const|enum|function|interface|let|namespace|type|var)\b/;

/** Statements without comments, private members and empty lines. */
function statementsOf(text: string): readonly string[] {
  const statements: string[] = [];
  let isComment = false;
  for (const line of text.split("\n").map((each) => each.trimEnd())) {
    isComment ||= /^\s*\/\*/.test(line);
    const isLeftOut = isComment || /^\s*(?:\/\/|#private;|private |$)/.test(line);
    if (isComment && line.includes("*/")) isComment = false;
    if (isLeftOut) continue;
    if (beginning.test(line)) statements.push(line);
    else statements.push(`${statements.pop() ?? ""}\n${line.replaceAll(/ {4}/g, "  ")}`);
  }
  return statements;
}
