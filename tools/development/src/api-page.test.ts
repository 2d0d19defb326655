import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { apiPage } from "./api-page.ts";

const root = path.join(import.meta.dirname, "../../..");
const { UPDATE_GOLDEN } = process.env;

/**
 * The packages that others import, with the AssemblyScript file of one of them. Their declarations are read from `dist/`, which
 * `npm run check` and `npm test` build first: tsconfig.json refers to each package. Alone, this test needs `tsc -b` before it.
 */
const packages: Readonly<Record<string, string | undefined>> = {
  "xds-proto-ts": undefined,
  "xds-server": undefined,
  "filters/sdk": "assembly/index.ts",
  "filters/testing": undefined,
};

for (const [folder, assembly] of Object.entries(packages)) {
  test(`${folder}/api.md lists the exports of the package; UPDATE_GOLDEN=1 rewrites it`, () => {
    const page = path.join(root, folder, "api.md");
    const actual = apiPage(path.join(root, folder), assembly);
    if (UPDATE_GOLDEN === "1") writeFileSync(page, actual);
    assert.equal(existsSync(page) ? readFileSync(page, "utf8") : "", actual);
  });
}

test("follows exports from other files, sorts them, and leaves out comments and private members", (t) => {
  const folder = packageWith(t, {
    "package.json": JSON.stringify({
      name: "sample",
      exports: { ".": { types: "./index.d.ts" }, "./*": { types: "./*" } },
    }),
    "index.d.ts":
      'import { imported } from "./c.js";\nexport { imported };\nexport { type One as Uno, two } from "./a.ts";\nexport * from "./b.ts";\nexport declare const a: "/*";\n',
    "a.d.ts":
      "interface Hidden {\n}\n/** Says one. */\nexport interface One {\n    /** What\n     * it is. */\n    readonly it: Hidden;\n}\n" +
      "export declare function two(text: string): void;\nexport declare function two(\n): void;\n",
    "b.d.ts":
      "/** B. */\nexport declare class B {\n    #private;\n    private readonly secret;\n    readonly open: {\n        readonly deep: number;\n    };\n}\nexport {};\n",
    "c.d.ts": "export declare let imported: string;\n",
    "index.ts": '// export { No };\nexport { Five, four as vier } from "./c";\nexport * from "./c";\n',
    "c.ts":
      "export class Five {\n  six(): void {}\n}\nexport function four(): i32 { return 4; }\nexport const seven: i32 = 7;\n",
  });
  const [, ...sections] = apiPage(folder, "index.ts").split(/^## /m);
  assert.deepEqual(sections, [
    `sample

\`\`\`ts
export declare class B {
  readonly open: {
    readonly deep: number;
  };
}

export interface One {
  readonly it: Hidden;
}

export { One as Uno };

export declare const a: "/*";

export declare let imported: string;

export declare function two(text: string): void;

export declare function two(
): void;
\`\`\`

`,
    "sample, in AssemblyScript\n\n- `Five`\n- `four`\n- `seven`\n- `vier`\n",
  ]);
});

test("reports an export that it cannot follow", (t) => {
  const folder = packageWith(t, {
    "package.json": JSON.stringify({ name: "sample", exports: { ".": { types: "./index.d.ts" } } }),
    "index.d.ts": 'export { gone } from "./a.ts";\n',
    "a.d.ts": "export default class {\n}\n",
  });
  assert.throws(() => apiPage(folder), /Cannot read an export of .*a\.d\.ts: export default class/);
});

function packageWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}
