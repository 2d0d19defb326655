import { run } from "./child.mjs";
import { Failure, withProgress } from "./progress.mjs";

// Without these flags, npm retries for minutes when there is no network.
const retryFlags = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];

const causes = [
  [/is not on the PATH/, "npm is not on the PATH: install Node.js with npm from https://nodejs.org"],
  [/ENOSPC|no space left/i, "the disk is full: free some space"],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network/i,
    "the npm registry cannot be reached: check the network, or `npm config get registry` and `npm config get proxy`",
  ],
  [/EACCES|EPERM|EROFS/, "a folder is not writable: check its owner and permissions"],
  [/EUSAGE|in sync/, "package.json and package-lock.json disagree: run `npm install` once"],
];

/** Runs npm quietly and shows progress. Throws a Failure that says what failed, why, and what to do. */
export async function npm(args, { cwd, env, title, measure, failure }) {
  const work = async () => {
    const { code, output } = await run("npm", [...args, ...retryFlags, "--no-audit", "--no-fund"], {
      cwd,
      env,
      quiet: true,
    });
    if (code !== 0)
      throw new Failure(`${failure}: ${causeOf(output) ?? `npm ended with code ${code}\n${output.trim()}`}`);
  };
  await withProgress(title, work, measure);
}

function causeOf(output) {
  const errors = output.split("\n").filter((line) => line.startsWith("npm error"));
  return causes.find(([pattern]) => pattern.test(errors.join("\n") || output))?.[1];
}
