import assert from "node:assert/strict";
import { test } from "node:test";
import { startCompanion } from "./companion.ts";
import { Started } from "./started.ts";

test("stops the parts in the opposite order, even when one fails to stop", async () => {
  const stopped: string[] = [];
  const started = new Started(() => {});
  for (const name of ["server", "shop", "envoy"]) {
    started.add({
      name,
      async stop() {
        stopped.push(name);
        if (name === "shop") throw new Error("shop does not stop");
      },
    });
  }
  await assert.rejects(started.stopAll(), /shop does not stop/);
  assert.deepEqual(stopped, ["envoy", "shop", "server"]);
});

test("reports a part that ends by itself, with its last lines", async () => {
  const ended = Promise.withResolvers<Error>();
  const started = new Started(ended.resolve);
  started.add({ ...(await startCompanion("echo out of wax; exit 4")), name: "the shop" });
  assert.equal((await ended.promise).message, "the shop ended by itself (code 4); its last lines:\n  out of wax");
  await started.stopAll();
});

test("does not report parts that it stopped itself", async () => {
  const errors: Error[] = [];
  const started = new Started((error) => errors.push(error));
  started.add({ ...(await startCompanion("exec sleep 60")), name: "the shop" });
  await started.stopAll();
  assert.deepEqual(errors, []);
});
