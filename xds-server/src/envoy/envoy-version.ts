import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The supported versions of Envoy: `oldest` or newer, below `tooNew`. */
export const supportedVersions = { oldest: "1.38.0", tooNew: "2.0.0" } as const;

const probeLimitMs = 20_000;

export type Probe = { readonly ok: true; readonly version: string } | { readonly ok: false; readonly why: string };

/** Runs `envoy --version` and checks that the version is supported. */
export async function probeVersion(file: string): Promise<Probe> {
  const answer = await output(file, ["--version"]);
  if (!answer.ok) return { ok: false, why: `it does not run (${answer.why})` };
  const version = parseVersion(answer.text);
  if (version === undefined) return { ok: false, why: "it does not print an Envoy version" };
  if (!isSupported(version)) {
    return {
      ok: false,
      why: `it is version ${version}, and Chancery needs ${supportedVersions.oldest} or newer, but below 2`,
    };
  }
  return { ok: true, version };
}

/** Like `probeVersion`, and also checks that V8, which runs Wasm filters, is built in. Some packages of Envoy lack it. */
export async function probeEnvoy(file: string): Promise<Probe> {
  const probe = await probeVersion(file);
  if (!probe.ok || (await hasWasm(file))) return probe;
  return { ok: false, why: `version ${probe.version} is built without V8, which runs Wasm filters` };
}

/** "1.40.0" from `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`. Undefined when there is no version. */
export function parseVersion(text: string): string | undefined {
  return /version: [^/\s]+\/(\d+\.\d+\.\d+)[^/\s]*\//.exec(text)?.[1];
}

export function isSupported(version: string): boolean {
  return (
    compareVersions(version, supportedVersions.oldest) >= 0 && compareVersions(version, supportedVersions.tooNew) < 0
  );
}

function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split(".").map(Number), right.split(".").map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Starts Envoy, which lists its extensions in its log. Ends it as soon as the line with the Wasm runtimes has come. */
async function hasWasm(file: string): Promise<boolean> {
  const args = ["--disable-hot-restart", "--concurrency", "1", "-l", "info", "--config-yaml", "{}"];
  const child = spawn(file, args, {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: probeLimitMs,
    killSignal: "SIGKILL",
  });
  const exited = once(child, "exit");
  let runtimes = "";
  for await (const line of createInterface({ input: child.stderr })) {
    const match = /envoy\.wasm\.runtime: (.*)$/.exec(line);
    if (match?.[1] === undefined) continue;
    runtimes = match[1];
    break;
  }
  child.kill("SIGKILL");
  await exited;
  return runtimes.includes("envoy.wasm.runtime.v8");
}

type Output = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

function output(file: string, args: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: probeLimitMs, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, text: stdout });
      else resolve({ ok: false, why: stderr.trim().split("\n").at(-1) || String(error.code ?? error.signal) });
    });
  });
}
