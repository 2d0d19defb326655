import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { freePort } from "../harness/free-port.ts";
import { chanceryBin, repository } from "../harness/server-process.ts";
import { TestMesh } from "../harness/test-mesh.ts";

// Follows docs/guides/first-filter.md in an empty folder: runs each command, makes each change, and checks that each
// command prints what the guide says.

const guide = readFileSync(path.join(repository, "docs/guides/first-filter.md"), "utf8");
const steps = [...guide.matchAll(/^```(sh|diff)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
  language,
  text,
}));

test("the steps of the guide to a first filter work in an empty folder", async () => {
  await using mesh = await TestMesh.start();
  await mesh.envoy({ variant: "delta", concurrency: 1 });
  const [service, port] = [await mesh.serviceNamed("v1"), await freePort()];
  const shop = [
    { kind: "Cluster", name: "cart", spec: { endpoints: [{ address: "127.0.0.1", port: service }] } },
    { kind: "Route", name: "shop", spec: { hosts: ["*"], routes: [{ match: {}, cluster: "cart" }] } },
    { kind: "Listener", name: "shop-edge", spec: { port, http: { routes: ["shop"] } } },
  ];
  const applied = await mesh.chancery(["apply", "-f", "-"], JSON.stringify(shop));
  assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr);

  const folder = mkdtempSync(path.join(tmpdir(), "chancery-guide-"));
  const npx = path.join(folder, "npx");
  writeFileSync(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${chanceryBin}" "$@"\n`);
  chmodSync(npx, 0o755);
  const env = { PATH: `${folder}:${process.env["PATH"]}`, NO_COLOR: "1", CHANCERY_ADMIN: mesh.admin };
  try {
    assert.ok(steps.length > 8);
    for (const { language, text } of steps) {
      if (language === "diff") change(folder, text);
      else for (const command of commandsOf(text)) await follow(command, { folder, env, port });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Command {
  readonly line: string;
  /** Texts in its output, in this order. */
  readonly shows: readonly string[];
}

/** The commands of a block. The comments below a command are what it shows. */
function commandsOf(text: string): readonly Command[] {
  const commands: { line: string; shows: string[] }[] = [];
  for (const line of text.split("\n").filter(Boolean)) {
    if (line.startsWith("# ")) commands.at(-1)?.shows.push(line.slice(2));
    else commands.push({ line, shows: [] });
  }
  return commands;
}

async function follow(
  { line, shows }: Command,
  { folder, env, port }: { readonly folder: string; readonly env: NodeJS.ProcessEnv; readonly port: number },
): Promise<void> {
  const shell = spawn("sh", ["-c", line.replaceAll("localhost:10000", `127.0.0.1:${port}`)], {
    cwd: folder,
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  let output = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  shell.on("error", reject).on("close", resolve);
  assert.equal(await promise, 0, `${line}\n${output}`);
  let at = 0;
  for (const wanted of shows) {
    at = output.indexOf(wanted, at);
    assert.ok(at >= 0, `${line}\nshould show: ${wanted}\nshows: ${output}`);
    at += wanted.length;
  }
}

/** Applies a diff to a file: its lines with a blank or "-" become those with a blank or "+". */
function change(folder: string, text: string): void {
  const [head = "", ...lines] = text.trimEnd().split("\n");
  const file = path.join(folder, head.replace("--- ", ""));
  const side = (marks: string) =>
    lines
      .filter((line) => marks.includes(line.charAt(0)))
      .map((line) => line.slice(1))
      .join("\n");
  const before = readFileSync(file, "utf8");
  assert.ok(before.includes(side(" -")), `${file} has no:\n${side(" -")}`);
  writeFileSync(file, before.replace(side(" -"), side(" +")));
}
