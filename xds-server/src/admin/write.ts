import type { WriteAnswer } from "../admin-api/writes.ts";
import type { Compiled } from "../compile/compile.ts";
import type { Change, Mesh } from "../model/mesh.ts";
import { nodeGroupOf } from "../model/node-group.ts";
import type { Problem } from "../model/problem.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import { RevisionConflict } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { changedDocument } from "./document-changes.ts";
import { impactOf } from "./impact.ts";
import { RequestError, requestError } from "./problem-json.ts";
import { settled } from "./settled.ts";
import type { WriteRequest } from "./write-request.ts";

/** What to change of the mesh as it stands; asked again after every wait, so that it is never out of date. */
export type ChangeOf = (mesh: Mesh) => Change;

/**
 * Makes one write: every path of the admin API that changes the mesh comes through here. Checks what only running the
 * filters can tell first; then it waits for its turn.
 */
export async function write(deps: AdminDeps, changeOf: ChangeOf, request: WriteRequest): Promise<WriteAnswer> {
  const { store, checkFilters, proxies, turns } = deps;
  const found = await checkFilters(changeOf(store.get().mesh));
  // Only where asked for: a plain write costs the same for one proxy or thousands. And before the write, which may move them at once.
  const asksForImpact = request.dryRun || request.waitMs !== undefined;
  const before = asksForImpact ? await proxies.all() : [];
  const { answer, ...made } = await turns.run(() => written(deps, changeOf, { ...request, found }));
  if (!asksForImpact) return answer;
  const { published, compiled, mesh, change } = made;
  const groupAfter = await groupsAfter(deps, mesh, mesh.changed(change));
  const impact = impactOf({ before: published, after: compiled.snapshots, proxies: before, groupAfter });
  if (request.dryRun || request.waitMs === undefined) return { ...answer, impact };
  const waiting = { impact, published, timeoutMs: request.waitMs, aborted: request.aborted };
  return { ...answer, impact, proxies: await settled(deps, waiting) };
}

type CheckedRequest = WriteRequest & { readonly found: readonly Problem[] };

/** From the precondition to the commit nothing awaits. */
function written({ store, writer, snapshots }: AdminDeps, changeOf: ChangeOf, request: CheckedRequest) {
  request.precondition();
  const { mesh } = store.get();
  const change = changeOf(mesh);
  const published = snapshots();
  const changes = mesh.effectOf(change);
  const touched = new Set(changes.map(({ kind, name }) => `${kind} ${name}`));
  const unchanged = change.set
    .filter(({ kind, name }) => !touched.has(`${kind} ${name}`))
    .map(({ kind, name }) => ({ kind, name }));

  const compiled = commitOrCheck(writer, change, request);
  const answer: WriteAnswer = {
    revision: store.get().revision,
    dryRun: request.dryRun,
    changes: changes.map((each) => (request.dryRun ? { ...changedDocument(each), ...each } : changedDocument(each))),
    unchanged,
  };
  return { answer, mesh, change, published, compiled };
}

/** The node group that each proxy belongs to after a change of the mesh. */
async function groupsAfter({ proxies }: AdminDeps, before: Mesh, after: Mesh): Promise<(proxy: ProxyStatus) => string> {
  const groups = after.all("NodeGroup");
  if (groups === before.all("NodeGroup")) return ({ nodeGroup }) => nodeGroup;
  const nodes = new Map((await proxies.connected()).map((node) => [node.id, node]));
  return ({ nodeId, nodeGroup }) => {
    const node = nodes.get(nodeId);
    return node === undefined ? nodeGroup : nodeGroupOf(node, groups);
  };
}

function commitOrCheck(
  writer: AdminDeps["writer"],
  change: Change,
  { author, message, dryRun, found }: CheckedRequest,
): Compiled {
  try {
    const result = dryRun ? writer.check(change) : writer.write(change, { author, message, found });
    if (!result.ok) throw new RequestError(422, dryRun ? [...result.problems, ...found] : result.problems);
    if (found.length > 0) throw new RequestError(422, found);
    return result.compiled;
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
    throw requestError(409, "REVISION_CONFLICT", `Cannot write: revision ${error.actual} came in between`, {
      hint: "send the request again",
    });
  }
}
