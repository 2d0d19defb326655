import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { run } from "./child.mjs";
import { npm } from "./npm.mjs";
import { Failure, say } from "./progress.mjs";

/** The version of Node that is fetched when the machine's own is too old. */
export const fetchedVersion = "24.21.0";
const fetchedPlatforms = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
/** The oldest supported version of Node, from package.json: "22.18", the first that runs TypeScript without a flag. */
export const oldestSupported = engines.node.replace(">=", "");

/** Whether this version of Node ("v20.20.2") is supported. */
export function isSupported(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestSupported.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** The folder for fetched programs. filters/sdk/tools/build-cache.ts has the same rule for the built code. */
export function cacheFolder(env = process.env) {
  return env.CHANCERY_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "chancery");
}

/** The environment with the folder of this Node first on the PATH, so that scripts and npm use it, too. */
export function environmentFor(node, env = process.env) {
  return { ...env, PATH: `${dirname(node)}${delimiter}${env.PATH ?? ""}` };
}

/**
 * Runs this script again with a supported Node, which is fetched if necessary, and resolves to the exit code. Resolves to
 * undefined at once when the running Node is supported.
 */
export async function rerunOnSupportedNode(script, args) {
  if (isSupported(process.version)) return undefined;
  const node = await supportedNode();
  const { code } = await run(node, [script, ...args], { env: environmentFor(node) });
  return code;
}

/** The path of the cached Node, fetched from npm the first time. */
export async function supportedNode() {
  const platform = `${process.platform}-${process.arch}`;
  const folder = join(cacheFolder(), `node-${fetchedVersion}-${platform}`);
  const node = join(folder, "bin", "node");
  if (existsSync(node)) return node;
  say(`Node ${oldestSupported} or newer is needed; this is ${process.version}.`);
  if (!fetchedPlatforms.includes(platform)) {
    throw new Failure(`There is no Node to fetch for ${platform}: install Node ${oldestSupported} or newer yourself`);
  }
  await fetchNode(`node-${platform}`, folder);
  say(`Node ${fetchedVersion} is in ${folder}; delete the folder to remove it.`);
  return node;
}

/** Installs the package in a temporary folder and then renames it to its place, so that nobody uses an incomplete Node. */
async function fetchNode(packageName, folder) {
  const staging = makeStaging();
  try {
    await npm(
      [
        "install",
        "--prefix",
        staging,
        "--ignore-scripts",
        "--no-save",
        "--no-package-lock",
        `${packageName}@${fetchedVersion}`,
      ],
      {
        cwd: staging,
        title: `Fetching Node ${fetchedVersion} from npm`,
        measure: () => `${(folderBytes(staging) / 1e6).toFixed(0)} of about 190 MB`,
        failure: `Cannot fetch Node ${fetchedVersion}`,
      },
    );
    const fetched = join(staging, "node_modules", packageName);
    const version = spawnSync(join(fetched, "bin", "node"), ["--version"], { encoding: "utf8" });
    if (version.stdout?.trim() !== `v${fetchedVersion}`) {
      throw new Failure(
        `The fetched Node does not run on this system: install Node ${oldestSupported} or newer yourself`,
      );
    }
    renameSync(fetched, folder);
  } catch (error) {
    // Another process has fetched the same Node in the meantime, so use that one.
    if (!existsSync(join(folder, "bin", "node"))) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function makeStaging() {
  const cache = cacheFolder();
  try {
    mkdirSync(cache, { recursive: true });
    return mkdtempSync(join(cache, ".fetching-"));
  } catch (error) {
    throw new Failure(`Cannot write to ${cache} (${error.code}): set CHANCERY_CACHE to a writable folder`);
  }
}

/** The size of all files in a folder, in bytes. The folder may change at the same time. */
function folderBytes(folder) {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(entry.parentPath ?? folder, entry.name);
      if (entry.isDirectory()) bytes += folderBytes(path);
      else if (entry.isFile()) bytes += statSync(path).size;
    }
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  return bytes;
}
