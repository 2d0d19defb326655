import assert from "node:assert/strict";
import { test } from "node:test";
import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { nowhere } from "../model/node.ts";
import { resourceType } from "../resources/resource-types.ts";
import { changesBetween } from "../resources/set-changes.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { type Publication, PublicationEncoder, type PublishedData } from "./publication.ts";
import { Replica } from "./replica.ts";

const cds = resourceType("CDS").typeUrl;
const rds = resourceType("RDS").typeUrl;
const node = { id: "edge-1", cluster: "", metadata: {}, locality: nowhere };

function resource(name: string, version: number, typeUrl = cds): Resource {
  return { typeUrl, name, version: `v${version}`, body: Buffer.from(`${name} ${version}`), rewarms: [] };
}

function setOf(...resources: readonly Resource[]): ResourceSet {
  return new Map(resources.map((each) => [each.name, each]));
}

const snapshot = (clusters: ResourceSet, routes: ResourceSet = new Map()): Snapshot => ({
  resources: new Map([
    [cds, clusters],
    [rds, routes],
  ]),
});
const published = (snapshots: Record<string, Snapshot>, nodeGroups: PublishedData["nodeGroups"] = new Map()) => ({
  snapshots: new Map(Object.entries(snapshots)),
  nodeGroups,
});

/** An encoder and a replica, with the serialization between two processes. */
function pair() {
  const encoder = new PublicationEncoder();
  const replica = new Replica();
  return (data: PublishedData) => {
    const publication = encoder.next(data);
    const received: Publication = deserialize(serialize(publication));
    return { publication, applied: replica.apply(received) };
  };
}

const contents = (snapshots: ReadonlyMap<string, Snapshot>) =>
  Object.fromEntries(
    [...snapshots].map(([group, each]) => [
      group,
      [cds, rds].map((typeUrl) =>
        [...resourcesOf(each, typeUrl).values()]
          .map(({ name, version, body }) => `${name} ${version} ${Buffer.from(body)}`)
          .sort(),
      ),
    ]),
  );

test("after any sequence of publications a worker holds the newest one", () => {
  const names = fc.constantFrom("a", "b", "c", "d");
  const set = fc.dictionary(names, fc.nat(2), { noNullPrototype: true });
  const mesh = fc.dictionary(fc.constantFrom("one", "two", "three"), fc.tuple(set, set), { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(mesh, { minLength: 1, maxLength: 8 }), (meshes) => {
      const go = pair();
      // As the compiler does: an unchanged set or resource is the same object, in every group.
      const known = new Map<string, ResourceSet>();
      const resources = new Map<string, Resource>();
      const keep = <T>(map: Map<string, T>, key: string, make: () => T): T => {
        const value = map.get(key) ?? make();
        map.set(key, value);
        return value;
      };
      const made = (versions: Record<string, number>, typeUrl: typeof cds): ResourceSet =>
        keep(known, `${typeUrl} ${JSON.stringify(versions)}`, () =>
          setOf(
            ...Object.entries(versions).map(([name, version]) =>
              keep(resources, `${typeUrl} ${name} ${version}`, () => resource(name, version, typeUrl)),
            ),
          ),
        );
      for (const groups of meshes) {
        const data = published(
          Object.fromEntries(
            Object.entries(groups).map(([name, [clusters, routes]]) => [
              name,
              snapshot(made(clusters, cds), made(routes, rds)),
            ]),
          ),
        );
        assert.deepEqual(contents(go(data).applied.snapshots), contents(data.snapshots));
      }
    }),
  );
});

test("only changes are sent, once for all groups, and unchanged sets and resources stay the same objects", () => {
  const go = pair();
  const routes = setOf(resource("all", 1, rds));
  const clusters = setOf(resource("a", 1), resource("b", 1), resource("c", 1));
  const first = go(published({ one: snapshot(clusters, routes), two: snapshot(clusters, routes) }));
  assert.equal(first.publication.sets.length, 2, "two groups share two sets");
  const changed = new Map(clusters).set("b", resource("b", 2));
  changed.delete("c");
  const second = go(published({ one: snapshot(changed, routes), two: snapshot(changed, routes) }));
  assert.deepEqual(
    second.publication.sets.map((set) => [set.changed.map(({ name, version }) => `${name} ${version}`), set.removed]),
    [[["b v2"], ["c"]]],
  );
  const [before, after] = [first, second].map(({ applied }) => applied.snapshots);
  const heldBefore = before?.get("one") as Snapshot;
  const held = after?.get("one") as Snapshot;
  assert.equal(resourcesOf(held, rds), resourcesOf(heldBefore, rds));
  assert.equal(resourcesOf(held, cds), resourcesOf(after?.get("two") as Snapshot, cds));
  assert.equal(resourcesOf(held, cds).get("a"), resourcesOf(heldBefore, cds).get("a"));
  // The replica notes the changes between the two sets, so that a worker's streams do not compare them.
  const { changed: noted, removed } = changesBetween(resourcesOf(heldBefore, cds), resourcesOf(held, cds));
  assert.deepEqual([noted.map(({ name }) => name), removed], [["b"], ["c"]]);
});

test("without a change the publication is empty, and snapshots stay the same objects", () => {
  const go = pair();
  const data = published({ one: snapshot(setOf(resource("a", 1))) });
  const first = go(data).applied;
  const again = go({ ...data });
  assert.deepEqual(again.publication, { sets: [], groups: [], gone: [] });
  assert.equal(again.applied.snapshots.get("one"), first.snapshots.get("one"));
  assert.equal(again.applied.groupOf, first.groupOf);
});

test("node groups are sent only when they change, and only then groupOf is a new function", () => {
  const go = pair();
  const edges = new Map([["edges", { spec: { match: { ids: ["edge-*"] } } }]]);
  const first = go(published({}, edges)).applied;
  assert.equal(first.groupOf(node), "edges");
  assert.equal(go(published({}, edges)).applied.groupOf, first.groupOf);
  const regrouped = go(published({}, new Map())).applied;
  assert.equal(regrouped.groupOf(node), "default");
});

test("a resource does not keep the whole received message in memory", () => {
  const { applied } = pair()(published({ one: snapshot(setOf(resource("a", 1), resource("b", 1))) }));
  for (const { body } of resourcesOf(applied.snapshots.get("one") as Snapshot, cds).values())
    assert.equal(body.buffer.byteLength, body.byteLength);
});
