#!/usr/bin/env node
// The `chancery` command. Plain JavaScript, so that a Node that is too old for the rest can run it and fetch a newer Node.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rerunOnSupportedNode } from "./node-runtime.mjs";
import { Failure, reportFailure } from "./progress.mjs";

const main = new URL("../dist/main.js", import.meta.url);

try {
  if (!existsSync(main))
    throw new Failure("Chancery is not built yet: run `npm run build`, or run `npm run up`, which also builds it");
  const exitCode = await rerunOnSupportedNode(fileURLToPath(import.meta.url), process.argv.slice(2));
  if (exitCode === undefined) {
    process.setSourceMapsEnabled(true);
    await import(main);
  } else process.exitCode = exitCode;
} catch (error) {
  reportFailure(error);
}
