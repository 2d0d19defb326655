import type { WriteAnswer } from "../admin-api/writes.ts";
import type { ChangeOf, WriteResult } from "../mesh-writing/mesh-writer.ts";
import type { MeshEdit } from "../model/mesh.ts";
import { nodeGroupOf } from "../model/node-group.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import { RevisionConflict } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { changedDocument } from "./document-changes.ts";
import { impactOf } from "./impact.ts";
import { RequestError, requestError } from "./problem-json.ts";
import { settled } from "./settled.ts";
import type { WriteRequest } from "./write-request.ts";

/** Makes or checks one write. All operations of the admin API that change the mesh call this. */
export async function write(deps: AdminDeps, changeOf: ChangeOf, request: WriteRequest): Promise<WriteAnswer> {
  const { proxies, snapshots } = deps;
  // The proxies are read only when the request asks for the impact: a plain write costs the same for any number of proxies.
  // They are read before the write, because the write can move proxies to other node groups.
  const needsImpact = request.dryRun || request.waitMs !== undefined;
  const before = needsImpact ? await proxies.all() : [];
  let published = snapshots();
  const written = await writeOrCheck(
    deps,
    (state) => {
      request.precondition();
      published = snapshots();
      return changeOf(state);
    },
    request,
  );
  const answer = answerOf(written, request);
  if (!needsImpact) return answer;
  const { edit, compiled } = written;
  const groupAfter = await groupsAfter(deps, edit);
  const impact = impactOf({ before: published, after: compiled.snapshots, proxies: before, groupAfter });
  if (request.dryRun || request.waitMs === undefined) return { ...answer, impact };
  const waiting = { impact, published, timeoutMs: request.waitMs, aborted: request.aborted };
  return { ...answer, impact, proxies: await settled(deps, waiting) };
}

type Written = WriteResult & { readonly ok: true };

async function writeOrCheck(
  { writer }: AdminDeps,
  changeOf: ChangeOf,
  { author, message, dryRun }: WriteRequest,
): Promise<Written> {
  try {
    const result = await (dryRun ? writer.check(changeOf) : writer.write(changeOf, { author, message }));
    if (!result.ok) throw new RequestError(422, result.problems);
    return result;
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
    throw requestError(
      409,
      "REVISION_CONFLICT",
      `Cannot write: another writer made revision ${error.actual} in the meantime`,
      {
        hint: "send the request again",
      },
    );
  }
}

function answerOf({ change, edit, revision }: Written, { dryRun }: WriteRequest): WriteAnswer {
  const changed = new Set(edit.changes.map(({ kind, name }) => `${kind} ${name}`));
  return {
    revision,
    dryRun,
    changes: edit.changes.map((each) => (dryRun ? { ...changedDocument(each), ...each } : changedDocument(each))),
    unchanged: change.set
      .filter(({ kind, name }) => !changed.has(`${kind} ${name}`))
      .map(({ kind, name }) => ({ kind, name })),
  };
}

/** The node group of each proxy after a change of the mesh. */
async function groupsAfter({ proxies }: AdminDeps, edit: MeshEdit): Promise<(proxy: ProxyStatus) => string> {
  const groups = edit.after.all("NodeGroup");
  if (groups === edit.before.all("NodeGroup")) return ({ nodeGroup }) => nodeGroup;
  const nodes = new Map((await proxies.connected()).map((node) => [node.id, node]));
  return ({ nodeId, nodeGroup }) => {
    const node = nodes.get(nodeId);
    return node === undefined ? nodeGroup : nodeGroupOf(node, groups);
  };
}
