import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Acknowledged, openAcknowledged } from "./acknowledged.ts";
import { type Replayed, replay } from "./replay.ts";
import { openDatabaseFile, withoutHistory } from "./sqlite-file.ts";
import { storeCorrupt, storeInaccessible } from "./store-unusable.ts";

export interface OpenedHistory extends Replayed {
  readonly database: DatabaseSync;
  readonly acknowledged: Acknowledged;
}

/** Opens the files in a folder and checks their whole content. When they cannot be used, closes them and throws a StoreUnusable. */
export function openHistory(directory: string): OpenedHistory {
  const path = join(directory, "chancery.db");
  const database = openDatabaseFile(path);
  let acknowledged: Acknowledged | undefined;
  try {
    acknowledged = openAcknowledgedIn(directory);
    const replayed = replay(database);
    if (!replayed.ok) {
      const { fault, good } = replayed;
      throw storeCorrupt(path, { fault, hint: recovery(path, good), lastGoodRevision: good });
    }
    const lost = lostTail(database, replayed, acknowledged.found);
    if (lost !== undefined) {
      const hint = recoveryOfTail(directory, replayed);
      throw storeCorrupt(path, { fault: lost, hint, lastGoodRevision: replayed.head.revision });
    }
    acknowledged.record(replayed.head);
    return { ...replayed, database, acknowledged };
  } catch (error) {
    acknowledged?.close();
    database.close();
    throw error;
  }
}

function openAcknowledgedIn(directory: string): Acknowledged {
  const path = join(directory, "chancery.head");
  try {
    return openAcknowledged(path);
  } catch (error) {
    throw error instanceof Error ? storeInaccessible(path, error) : error;
  }
}

/** The fault when the acknowledged revision is missing or is another one. Undefined when the history has it. */
function lostTail(
  database: DatabaseSync,
  { anchor, head }: Replayed,
  found: Acknowledged["found"],
): string | undefined {
  if (found === undefined || found.revision < anchor) return undefined;
  if (found.revision > head.revision)
    return `it ends at revision ${head.revision}, but revision ${found.revision} was acknowledged`;
  const row = database.prepare("SELECT chain FROM revisions WHERE revision = ?").get(found.revision) as
    | { chain: string }
    | undefined;
  return row?.chain === found.chain ? undefined : `revision ${found.revision} is not the one that was acknowledged`;
}

function recoveryOfTail(directory: string, { head }: Replayed): string {
  return `restore a backup of the folder; or delete ${join(directory, "chancery.head")} to continue from revision ${head.revision}`;
}

function recovery(path: string, good: number | undefined): string {
  if (good === undefined || good === 0) return withoutHistory;
  const select = `SELECT '---' || char(10) || json FROM versions JOIN contents USING (digest) WHERE since <= ${good} AND (until IS NULL OR until > ${good})`;
  return [
    `everything up to revision ${good} is good: restore a backup of the folder`,
    `or export that revision with: sqlite3 '${path}' "${select}" > mesh.yaml`,
    "then move the folder away, start with an empty folder, and run: chancery apply -f mesh.yaml",
  ].join("; ");
}
