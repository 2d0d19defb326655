import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { main } from "./testing.ts";

const filter = `
import { Context, RootContext, registerRootContext } from "@chancery/filter-sdk";
class Root extends RootContext {
  override createContext(context_id: u32): Context { return new Context(context_id, this); }
}
registerRootContext((context_id: u32) => new Root(context_id), "subject");
`;

test("watch mode builds and tests again at every save, also when the editor replaces the file", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["assembly", "test"]) mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, "package.json"), '{"name": "subject", "type": "module"}');
  writeFileSync(
    path.join(folder, "test/some.test.js"),
    'import { test } from "node:test";\ntest("it runs", () => {});\n',
  );
  const source = path.join(folder, "assembly/index.ts");
  writeFileSync(source, filter);
  const child = spawn(process.execPath, [main, "filter", "test", folder, "--watch"], { timeout: 60_000 });
  t.after(() => child.kill());
  let output = "";
  let wake = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      wake();
    });
  }
  child.on("exit", () => wake());
  const shown = async (words: RegExp) => {
    while (!(words.test(output) && output.includes("Waiting for a change."))) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      assert.equal(child.exitCode ?? child.signalCode, null, output);
    }
    output = "";
  };
  await shown(/pass 1/);
  for (let save = 1; save <= 4; save++) {
    writeFileSync(`${source}.new`, save % 2 === 0 ? filter : filter.replace("new Context", `new Kontext${save}`));
    renameSync(`${source}.new`, source);
    await shown(save % 2 === 0 ? /pass 1/ : new RegExp(`Kontext${save}`));
  }
});
