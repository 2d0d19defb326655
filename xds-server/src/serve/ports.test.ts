import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { checkAddresses } from "./ports.ts";

const change = "choose another with --admin-listen HOST:PORT";

test("names the port in use, the part that needs it, and what to do", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(checkAddresses([{ address: { host: "127.0.0.1", port }, by: "the admin API", change }]), {
    message: `Port ${port} (127.0.0.1:${port}) is in use, and the admin API needs it: stop the program that uses it, or ${change}`,
  });
});

test("names an address that this machine does not have", async () => {
  await assert.rejects(checkAddresses([{ address: { host: "192.0.2.1", port: 8080 }, by: "the admin API", change }]), {
    message: `Cannot listen on 192.0.2.1:8080 (EADDRNOTAVAIL), which the admin API needs: ${change}`,
  });
});

test("accepts free ports, and leaves them free", async () => {
  const free = { address: { host: "127.0.0.1", port: 0 }, by: "the admin API", change };
  await checkAddresses([free, free]);
});
