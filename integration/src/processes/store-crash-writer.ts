import { writeSync } from "node:fs";
import { openSqliteStore } from "@chancery/xds-server";
import { changeOf, keepRevisions } from "./store-crash-history.ts";

/** Writes without end to the store in the given folder, and prints each revision once it is acknowledged. */
const [, , directory = ""] = process.argv;
const store = openSqliteStore({ directory, now: Date.now, keepRevisions });
for (;;) {
  const { revision: expectedRevision, mesh } = store.get();
  const written = await store.commit(mesh.edited(changeOf(expectedRevision + 1)), {
    author: "writer",
    expectedRevision,
  });
  // Not by process.stdout: a line must not wait in this process.
  writeSync(1, `${written?.revision}\n`);
}
