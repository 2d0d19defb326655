import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { chancery } from "../cli/testing.ts";

const free = ["--xds-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-level", "silent"];

const usageFaults = [
  ["serve", "--bogus"],
  ["serve", "--xds-listen", "x"],
  ["serve", "--data-dir"],
  ["up", "--bogus"],
  ["bogus"],
];
for (const args of usageFaults) {
  test(`an invalid command line exits with 2: ${args.join(" ")}`, async () => {
    const { exitCode, stderr, stdout } = await chancery(args);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /^error: /);
    assert.equal(stdout, "");
  });
}

test("serve names the address in use and the flag to change it, and exits", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  for (const flag of ["--xds-listen", "--admin-listen"]) {
    await rejected(t, [flag, `127.0.0.1:${port}`], new RegExp(`^error: Port ${port} .* in use.* ${flag} HOST:PORT\n$`));
  }
});

test("serve names a data folder that cannot be created", async (t) => {
  const file = join(folder(t), "file");
  writeFileSync(file, "");
  await rejected(
    t,
    ["--data-dir", join(file, "data")],
    /^error: Cannot open the store .*\n.*use --data-dir to give a folder.*\n$/,
  );
});

test("serve names the faulty configuration file and the line", async (t) => {
  const file = join(folder(t), "bad.yaml");
  writeFileSync(file, "kind: Cluster\nname: cart\nspec: { endpoint: [] }\n");
  await rejected(t, ["--config", file], /^error: Cannot start with the configuration files:\n[\s\S]*bad\.yaml:3/);
});

test("serve names the certificate that cannot be read", async (t) => {
  const files = ["--xds-tls-cert", "/nope/cert", "--xds-tls-key", "/nope/key", "--xds-tls-client-ca", "/nope/ca"];
  await rejected(t, files, /^error: .*"\/nope\/cert" cannot be read: ENOENT.*\n$/);
});

async function rejected(t: TestContext, args: readonly string[], why: RegExp): Promise<void> {
  const { exitCode, stderr, stdout } = await chancery(["serve", ...free, "--data-dir", folder(t), ...args]);
  assert.match(stderr, why);
  assert.equal(exitCode, 1);
  assert.equal(stdout, "");
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "chancery-serve-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
