import assert from "node:assert/strict";
import { test } from "node:test";
import type { Artifact } from "../filter-registry/artifact.ts";
import type { Document } from "../model/document.ts";
import { Mesh } from "../model/mesh.ts";
import { resourceType } from "../resources/resource-types.ts";
import { resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { type Builders, builders } from "./builders.ts";
import type { Compiled } from "./compile.ts";
import { memoCompile } from "./memo.ts";

const sha256 = "a".repeat(64);
const facts = {
  abi: "0.2.1",
  hostCalls: ["proxy_get_header_map_value", "proxy_log"],
  callbacks: ["proxy_on_request_headers"],
};
const artifact: Artifact = { sha256, filter: "policy", wasm: new Uint8Array([1]), facts, uploadedAt: 0 };
const artifacts = new Map([[sha256, artifact]]);

const cluster = (name: string): Document => ({ kind: "Cluster", name, spec: { eds: {} } });
const endpoints = (name: string, port = 80): Document => ({
  kind: "Endpoints",
  name,
  spec: { endpoints: [{ address: "127.0.0.1", port }] },
});
const route = (name: string, to: string): Document => ({
  kind: "Route",
  name,
  spec: { hosts: [`${name}.example`], routes: [{ match: {}, cluster: to }] },
});
const listener = (routes: string[]): Document => ({
  kind: "Listener",
  name: "edge",
  spec: { port: 80, http: { routes } },
});
const group: Document = { kind: "NodeGroup", name: "eu", spec: { match: { ids: ["eu-*"] } } };
const filter = (config: unknown): Document => ({
  kind: "Filter",
  name: "policy",
  spec: { listeners: ["edge"], sha256, config },
});

const mesh = Mesh.of([
  cluster("c0"),
  cluster("c1"),
  endpoints("c0"),
  endpoints("c1"),
  route("r0", "c0"),
  route("r1", "c1"),
  listener(["r0", "r1"]),
  group,
]);
const set = (...documents: Document[]): Mesh => mesh.changed({ set: documents, delete: [] });

/** A compiler, and the names of the builders that have run since the last call of `ran`. */
function counted() {
  let ran: string[] = [];
  const counting = Object.fromEntries(
    Object.entries(builders).map(([name, build]) => [
      name,
      (...args: never[]) => {
        ran.push(name);
        return (build as (...args: never[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Builders;
  const compile = memoCompile(counting);
  return {
    compile: (mesh: Mesh): Compiled => compile({ mesh, artifacts }),
    ran: () => {
      const names = ran.sort();
      ran = [];
      return names;
    },
  };
}

const snapshot = ({ snapshots }: Compiled, name = "default"): Snapshot => {
  const found = snapshots.get(name);
  assert.ok(found);
  return found;
};
const setOf = (compiled: Compiled, shortName: string) =>
  resourcesOf(snapshot(compiled), resourceType(shortName).typeUrl);

/** The types whose sets are other objects than before. */
const changed = (before: Compiled, after: Compiled): string[] =>
  ["CDS", "EDS", "ECDS", "LDS", "RDS"].filter((type) => setOf(before, type) !== setOf(after, type));

test("the same inputs give the same snapshots, and nothing is built", () => {
  const { compile, ran } = counted();
  const first = compile(mesh);
  ran();
  assert.deepEqual(
    [...compile(mesh).snapshots.values()].map((each, at) => each === [...first.snapshots.values()][at]),
    [true, true],
  );
  assert.deepEqual(ran(), []);
});

test("when one Endpoints document of 1,000 changes, only that one is encoded", () => {
  const { compile, ran } = counted();
  const names = Array.from({ length: 1000 }, (_, index) => `c${index}`);
  const large = Mesh.of(names.flatMap((name) => [cluster(name), endpoints(name)]));
  const before = compile(large);
  ran();
  const after = compile(large.changed({ set: [endpoints("c7", 81)], delete: [] }));
  assert.deepEqual(ran(), ["endpoints"]);
  assert.deepEqual(changed(before, after), ["EDS"]);
  for (const name of names) {
    assert.equal(setOf(before, "EDS").get(name) === setOf(after, "EDS").get(name), name !== "c7");
  }
});

test("a changed Route rebuilds only the routes of its listener", () => {
  const { compile, ran } = counted();
  const before = compile(mesh);
  ran();
  const after = compile(set(route("r1", "c0")));
  assert.deepEqual(ran(), ["route", "routes"]);
  assert.deepEqual(changed(before, after), ["RDS"]);
});

test("during a canary, a changed Route changes both route tables of its listener", () => {
  const { compile, ran } = counted();
  const canary = { sha256, percent: 10 };
  const withCanary: Document = { kind: "Filter", name: "policy", spec: { listeners: ["edge"], sha256, canary } };
  const before = compile(set(withCanary));
  ran();
  const after = compile(set(withCanary, route("r1", "c0")));
  assert.deepEqual(ran(), ["canaryRoute", "canaryRoutes", "route", "routes"]);
  for (const name of ["edge", "edge~canary"]) {
    assert.notEqual(setOf(after, "RDS").get(name)?.version, setOf(before, "RDS").get(name)?.version, name);
  }
});

test("a document that is written again with the same content changes no object", () => {
  const { compile } = counted();
  const before = compile(mesh);
  const after = compile(set(cluster("c0"), endpoints("c1"), listener(["r0", "r1"])));
  assert.equal(snapshot(after), snapshot(before));
});

test("a new filter changes the listener; a new configuration changes only the filter", () => {
  const { compile, ran } = counted();
  const before = compile(mesh);
  const first = compile(set(filter({ a: 1 })));
  assert.deepEqual(changed(before, first), ["ECDS", "LDS"]);
  ran();
  const second = compile(set(filter({ a: 2 })));
  assert.deepEqual(ran(), ["filter"]);
  assert.deepEqual(changed(first, second), ["ECDS"]);
});

test("node groups without resources of their own share all sets, and keep them when other groups change", () => {
  const { compile } = counted();
  const before = compile(mesh);
  assert.deepEqual(
    [...snapshot(before, "eu").resources].map(
      ([typeUrl, resources]) => resources === snapshot(before).resources.get(typeUrl),
    ),
    [true, true, true, true],
  );
  const own: Document = {
    kind: "Cluster",
    name: "eu-only",
    spec: { nodeGroup: "eu", dns: { hostname: "a", port: 1 } },
  };
  const after = compile(set(own));
  assert.equal(snapshot(after), snapshot(before));
  assert.notEqual(snapshot(after, "eu"), snapshot(before, "eu"));
  const { typeUrl } = resourceType("LDS");
  assert.equal(resourcesOf(snapshot(after, "eu"), typeUrl), resourcesOf(snapshot(before), typeUrl));
});

test("after a rejected mesh in between, equal content is still the same objects", () => {
  const { compile } = counted();
  const before = compile(mesh);
  const rejected = compile(mesh.changed({ set: [], delete: [{ kind: "Cluster", name: "c0" }] }));
  assert.ok(rejected.problems.length > 0);
  assert.equal(snapshot(compile(set(cluster("c0")))), snapshot(before));
});

test("resources of deleted documents are removed from the snapshot", () => {
  const { compile } = counted();
  compile(mesh);
  const after = compile(Mesh.of([cluster("c0")]));
  assert.deepEqual([...after.snapshots.keys()], ["default"]);
  assert.deepEqual([...snapshot(after).resources.keys()], [resourceType("CDS").typeUrl, resourceType("EDS").typeUrl]);
});

test("versions do not depend on the order of documents and keys", () => {
  const one = memoCompile()({ mesh: set(filter({ a: 1, b: [{ c: 1, d: 2 }] })), artifacts });
  const reversed = Mesh.of([...set(filter({ b: [{ d: 2, c: 1 }], a: 1 })).documents()].reverse());
  const other = memoCompile()({ mesh: reversed, artifacts });
  const versions = (compiled: Compiled) =>
    [...snapshot(compiled).resources.values()]
      .flatMap((set) => [...set.values()].map(({ name, version }) => `${name} ${version}`))
      .sort();
  assert.deepEqual(versions(one), versions(other));
});

test("a changed EDS cluster has its endpoints sent again", () => {
  const { compile } = counted();
  const rewarms = setOf(compile(mesh), "CDS").get("c0")?.rewarms;
  assert.deepEqual(rewarms, [{ typeUrl: resourceType("EDS").typeUrl, name: "c0" }]);
});
