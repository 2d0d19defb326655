import assert from "node:assert/strict";
import { test } from "node:test";
import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { resourceType } from "../resources/resource-types.ts";
import { changesBetween } from "../resources/set-changes.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { type Publication, PublicationEncoder, type PublishedData } from "./publication.ts";
import { Replica } from "./replica.ts";

const cds = resourceType("CDS").typeUrl;
const rds = resourceType("RDS").typeUrl;
const node = { id: "edge-1", cluster: "", metadata: {}, locality: { region: "", zone: "", subZone: "" } };

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

/** A encoder and a replica, with what goes from one process to another in between. */
function pair() {
  const encoder = new PublicationEncoder();
  const replica = new Replica();
  return (data: PublishedData) => {
    const publication = encoder.next(data);
    const taken: Publication = deserialize(serialize(publication));
    return { publication, taken: replica.take(taken) };
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

test("a worker holds what was published, whatever came before", () => {
  const names = fc.constantFrom("a", "b", "c", "d");
  const set = fc.dictionary(names, fc.nat(2), { noNullPrototype: true });
  const mesh = fc.dictionary(fc.constantFrom("one", "two", "three"), fc.tuple(set, set), { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(mesh, { minLength: 1, maxLength: 8 }), (meshes) => {
      const go = pair();
      // As the compiler does: what has not changed is the same object, in every group.
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
        assert.deepEqual(contents(go(data).taken.snapshots), contents(data.snapshots));
      }
    }),
  );
});

test("only what changed goes over, once for all groups, and what did not stays the same object", () => {
  const go = pair();
  const routes = setOf(resource("all", 1, rds));
  const clusters = setOf(resource("a", 1), resource("b", 1), resource("c", 1));
  const first = go(published({ one: snapshot(clusters, routes), two: snapshot(clusters, routes) }));
  assert.equal(first.publication.sets.length, 2, "two sets, though there are two groups");
  const changed = new Map(clusters).set("b", resource("b", 2));
  changed.delete("c");
  const second = go(published({ one: snapshot(changed, routes), two: snapshot(changed, routes) }));
  assert.deepEqual(
    second.publication.sets.map((set) => [set.changed.map(({ name, version }) => `${name} ${version}`), set.removed]),
    [[["b v2"], ["c"]]],
  );
  const [before, after] = [first, second].map(({ taken }) => taken.snapshots);
  const heldBefore = before?.get("one") as Snapshot;
  const held = after?.get("one") as Snapshot;
  assert.equal(resourcesOf(held, rds), resourcesOf(heldBefore, rds));
  assert.equal(resourcesOf(held, cds), resourcesOf(after?.get("two") as Snapshot, cds));
  assert.equal(resourcesOf(held, cds).get("a"), resourcesOf(heldBefore, cds).get("a"));
  // The streams of a worker are told the difference without comparing the sets.
  const { changed: told, removed } = changesBetween(resourcesOf(heldBefore, cds), resourcesOf(held, cds));
  assert.deepEqual([told.map(({ name }) => name), removed], [["b"], ["c"]]);
});

test("nothing changed: a snapshot stays the same object, and nothing but that goes over", () => {
  const go = pair();
  const data = published({ one: snapshot(setOf(resource("a", 1))) });
  const first = go(data).taken;
  const again = go({ ...data });
  assert.deepEqual(again.publication, { sets: [], groups: [], gone: [] });
  assert.equal(again.taken.snapshots.get("one"), first.snapshots.get("one"));
  assert.equal(again.taken.groupOf, first.groupOf);
});

test("who belongs to which group goes over when it changes, and then only is another function", () => {
  const go = pair();
  const edges = new Map([["edges", { spec: { match: { ids: ["edge-*"] } } }]]);
  const first = go(published({}, edges)).taken;
  assert.equal(first.groupOf(node), "edges");
  assert.equal(go(published({}, edges)).taken.groupOf, first.groupOf);
  const regrouped = go(published({}, new Map())).taken;
  assert.equal(regrouped.groupOf(node), "default");
});

test("a resource does not keep the bytes of the message that it came with", () => {
  const { taken } = pair()(published({ one: snapshot(setOf(resource("a", 1), resource("b", 1))) }));
  for (const { body } of resourcesOf(taken.snapshots.get("one") as Snapshot, cds).values())
    assert.equal(body.buffer.byteLength, body.byteLength);
});
