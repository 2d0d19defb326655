import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "./log.ts";

test("writes JSON lines of the level and above, with secrets redacted", () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", to: { write: (line: string) => void lines.push(line) } });
  log.debug("below the level");
  log.info(
    { token: "S1", config: { adminToken: "S2", tls: { privateKey: "S3" } }, headers: { authorization: "S4" } },
    "started",
  );
  log.error({ err: new Error("broken") }, "failed");
  assert.equal(lines.length, 2);
  assert.equal(JSON.parse(lines[0] ?? "").config.tls.privateKey, "[redacted]");
  assert.doesNotMatch(lines.join(""), /S\d/);
  assert.equal(JSON.parse(lines[1] ?? "").err.message, "broken");
});
