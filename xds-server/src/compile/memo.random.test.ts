import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Document, DocumentKey } from "../model/document.ts";
import { Mesh } from "../model/mesh.ts";
import { changesBetween } from "../resources/set-changes.ts";
import type { ResourceSet } from "../resources/snapshot.ts";
import type { Compile, Compiled } from "./compile.ts";
import { memoCompile } from "./memo.ts";

/** The number of random sequences of changes for each property. */
const runs = Number(process.env["CHANCERY_COMPILE_RUNS"] ?? 200);

// Few names, so that documents often refer to each other, refer to nothing, and replace each other.
const name = fc.constantFrom("a", "b", "c");
const nodeGroup = fc.option(fc.constantFrom("g", "default"), { nil: undefined });
const port = fc.constantFrom(80, 81);
const endpoints = fc.array(
  port.map((port) => ({ address: "127.0.0.1", port })),
  { maxLength: 1 },
);
const sha256 = "a".repeat(64);
const facts = {
  abi: "0.2.1",
  hostCalls: ["proxy_get_header_map_value", "proxy_log"],
  callbacks: ["proxy_on_request_headers"],
};
const artifacts = new Map([[sha256, { sha256, filter: "a", wasm: new Uint8Array([1]), facts, uploadedAt: 0 }]]);
const canary = fc.option(fc.record({ sha256: fc.constant(sha256), percent: fc.constantFrom(1, 50) }), {
  nil: undefined,
});

const cluster = fc.oneof(fc.record({ nodeGroup, endpoints }), fc.record({ nodeGroup, eds: fc.constant({}) }));
const route = fc.record({
  hosts: fc.constantFrom(["*"], ["a.example"]),
  routes: fc.tuple(fc.record({ match: fc.constant({}), cluster: name })),
});
const listener = fc.oneof(
  fc.record({ nodeGroup, port, tcp: fc.record({ cluster: name }) }),
  fc.record({ nodeGroup, port, http: fc.record({ routes: fc.uniqueArray(name, { minLength: 1 }) }) }),
);
const filter = fc
  .record({ listeners: fc.tuple(name), sha256: fc.constant(sha256), order: fc.constantFrom(0, 1), canary })
  .map(({ canary, ...spec }) => (canary === undefined ? spec : { ...spec, canary }));
const envoyResource = fc.record({
  nodeGroup,
  resource: fc.record({
    "@type": fc.constantFrom(
      "type.googleapis.com/envoy.config.cluster.v3.Cluster",
      "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    ),
    name,
  }),
});

const document: fc.Arbitrary<Document> = fc.oneof(
  fc.record({ kind: fc.constant("Cluster" as const), name, spec: cluster }),
  fc.record({ kind: fc.constant("Endpoints" as const), name, spec: fc.record({ nodeGroup, endpoints }) }),
  fc.record({ kind: fc.constant("Route" as const), name, spec: route }),
  fc.record({ kind: fc.constant("Listener" as const), name, spec: listener }),
  fc.record({ kind: fc.constant("Filter" as const), name, spec: filter }),
  fc.record({ kind: fc.constant("EnvoyResource" as const), name, spec: envoyResource }),
);
const group: Document = { kind: "NodeGroup", name: "g", spec: { match: { ids: ["g"] } } };
/** A mesh with documents of each kind, so that most changes edit something that is in use. */
const start: readonly Document[] = [
  group,
  { kind: "Cluster", name: "a", spec: { eds: {} } },
  { kind: "Cluster", name: "b", spec: { eds: {} } },
  { kind: "Cluster", name: "c", spec: { endpoints: [{ address: "127.0.0.1", port: 80 }] } },
  { kind: "Endpoints", name: "a", spec: { endpoints: [{ address: "127.0.0.1", port: 80 }] } },
  { kind: "Route", name: "a", spec: { hosts: ["a.example"], routes: [{ match: {}, cluster: "a" }] } },
  { kind: "Listener", name: "a", spec: { port: 80, http: { routes: ["a"] } } },
  { kind: "Filter", name: "a", spec: { listeners: ["a"], sha256, canary: { sha256, percent: 1 } } },
];
const key: fc.Arbitrary<DocumentKey> = fc.record({
  kind: fc.constantFrom("Cluster", "Endpoints", "Route", "Listener", "Filter", "EnvoyResource"),
  name,
});
const change = fc.oneof(
  fc.record({ set: fc.array(document, { maxLength: 4 }), delete: fc.array(key, { maxLength: 3 }) }),
  fc.record({ set: fc.array(document, { minLength: 1, maxLength: 1 }), delete: fc.constant([]) }),
);

/** The content of a result, sorted. */
function contents({ snapshots, problems }: Compiled): object {
  const resources = [...snapshots].flatMap(([group, snapshot]) =>
    [...snapshot.resources].flatMap(([typeUrl, set]) =>
      [...set.values()].map(({ name, version }) => `${group} ${typeUrl} ${name} ${version}`),
    ),
  );
  return { resources: resources.sort(), problems: problems.map((problem) => JSON.stringify(problem)).sort() };
}

const run = (compile: Compile, mesh: Mesh): Compiled => compile({ mesh, artifacts });

test("after any sequence of changes, a compiler with a memory has the same result as a new one", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(change, { minLength: 1, maxLength: 12 }), (isEmpty, changes) => {
      const compile = memoCompile();
      let mesh = Mesh.of(isEmpty ? [group] : start);
      run(compile, mesh);
      for (const change of changes) {
        const next = mesh.changed(change);
        const compiled = run(compile, next);
        assert.deepEqual(contents(compiled), contents(run(memoCompile(), next)));
        // Like the store, this does not keep a rejected mesh.
        if (compiled.problems.length === 0) mesh = next;
      }
    }),
    { numRuns: runs },
  );
});

test("after any sequence of changes, the recorded differences are those that a comparison finds", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 2, maxLength: 12 }), (changes) => {
      const compile = memoCompile();
      let mesh = Mesh.of([group]);
      let before = run(compile, mesh);
      for (const change of changes) {
        const compiled = run(compile, mesh.changed(change));
        if (compiled.problems.length > 0) continue;
        for (const [group, { resources }] of compiled.snapshots) {
          for (const [typeUrl, set] of resources) {
            const former: ResourceSet = before.snapshots.get(group)?.resources.get(typeUrl) ?? new Map();
            assert.deepEqual(
              sorted(changesBetween(former, set)),
              sorted(changesBetween(new Map(former), new Map(set))),
            );
          }
        }
        mesh = mesh.changed(change);
        before = compiled;
      }
    }),
    { numRuns: runs },
  );
});

function sorted({ changed, removed }: ReturnType<typeof changesBetween>): object {
  return { changed: changed.map(({ name, version }) => `${name} ${version}`).sort(), removed: [...removed].sort() };
}

test("a mesh that is compiled twice gives the same snapshots, also with a rejected mesh in between", () => {
  fc.assert(
    fc.property(change, change, (first, second) => {
      const compile = memoCompile();
      const mesh = Mesh.of([group]).changed(first);
      const before = run(compile, mesh);
      fc.pre(before.problems.length === 0);
      const rejected = run(compile, mesh.changed(second));
      fc.pre(rejected.problems.length > 0);
      const again = run(compile, Mesh.of([...mesh.documents()]));
      for (const [group, snapshot] of before.snapshots) assert.equal(again.snapshots.get(group), snapshot);
    }),
    { numRuns: runs },
  );
});
