import assert from "node:assert/strict";
import { test } from "node:test";
import { summary } from "./summary.ts";

const addresses = {
  xds: { host: "127.0.0.1", port: 18000 },
  admin: { host: "127.0.0.1", port: 18001 },
  envoyAdmin: { host: "127.0.0.1", port: 9901 },
};

test("lists what is up and what to try", () => {
  const listeners = new Map([["shop-edge", { host: "127.0.0.1", port: 10000 }]]);
  assert.equal(
    summary({ ...addresses, listeners, try: ["curl localhost:10000/cart"] }),
    `
Chancery is up:
  listener shop-edge  127.0.0.1:10000
  admin API           http://127.0.0.1:18001
  xDS                 127.0.0.1:18000
  Envoy's admin       http://127.0.0.1:9901
Try, in another terminal:
  curl localhost:10000/cart
Ctrl-C ends everything.`,
  );
});

test("without listeners says what is missing, and exports the address of an admin API that is not the default", () => {
  const text = summary({ ...addresses, admin: { host: "::1", port: 7 }, listeners: new Map(), try: [] });
  assert.match(text, /listener {7}none yet: apply a Listener document/);
  assert.match(text, /\n {2}export CHANCERY_ADMIN=http:\/\/\[::1\]:7\n {2}npx chancery status\n/);
});
