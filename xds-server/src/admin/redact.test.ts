import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSecrets } from "./redact.ts";

test("replaces secrets in either spelling, keeps file names and everything else", () => {
  const given = {
    name: "x",
    tls: {
      privateKey: { inlineString: "P" },
      certificate_chain: { inline_string: "public" },
      private_key: { filename: "/key" },
    },
    auth: [{ password: "p", token: "t", user: "u" }],
  };
  assert.deepEqual(withoutSecrets(given, false), {
    name: "x",
    tls: {
      privateKey: { inlineString: "[redacted]" },
      certificate_chain: { inline_string: "public" },
      private_key: { filename: "/key" },
    },
    auth: [{ password: "[redacted]", token: "[redacted]", user: "u" }],
  });
});

test("in a Secret everything that is given in place is secret", () => {
  const given = {
    generic_secret: { secret: { inline_bytes: "QQ==" } },
    validation_context: { trusted_ca: { inline_string: "x" } },
  };
  assert.doesNotMatch(JSON.stringify(withoutSecrets(given, true)), /QQ|"x"/);
});
