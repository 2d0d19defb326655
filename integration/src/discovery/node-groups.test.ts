import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const nodeGroup = (name: string, match: object): AnyDocument => ({ kind: "NodeGroup", name, spec: { match } });
/** A listener of a node group that answers with the group's name. */
const answering = (name: string): readonly AnyDocument[] => [
  {
    kind: "Route",
    name,
    spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200, body: name } }] },
  },
  { kind: "Listener", name, spec: { port: 0, nodeGroup: name, http: { routes: [name] } } },
];

interface Impact {
  readonly impact: readonly {
    readonly nodeGroup: string;
    readonly from?: string;
    readonly proxies: readonly string[];
  }[];
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: a proxy belongs to a group by id, cluster, locality or metadata, and moves when one of them or the group changes`, async () => {
    await using mesh = await TestMesh.start();
    await mesh.apply({
      set: [
        nodeGroup("a", { ids: ["gate-*"] }),
        nodeGroup("b", { clusters: ["inner"], locality: { region: "eu", zone: "eu-*" } }),
        nodeGroup("c", { metadata: { canary: "true" } }),
        ...["a", "b", "c"].flatMap(answering),
      ],
    });
    const listeners = async (envoy: RunningEnvoy) => (await envoy.dynamicListeners()).map(({ name }) => name);
    const gate = await mesh.envoy({ variant, nodeId: "gate-1" });
    assert.deepEqual(await listeners(gate), ["a"]);
    const inner = { variant, nodeId: "n-1", cluster: "inner" } as const;
    const before = await mesh.envoy({ ...inner, node: { locality: { region: "eu", zone: "eu-1" } } });
    assert.deepEqual(await listeners(before), ["b"]);

    // The same proxy comes back with the locality and metadata of another group.
    await before.stop();
    const after = await mesh.envoy({
      ...inner,
      node: { locality: { region: "us", zone: "us-1" }, metadata: { canary: true } },
    });
    assert.deepEqual(await listeners(after), ["c"]);

    // The groups change, and the proxies stay connected.
    const change = { set: [nodeGroup("a", { ids: ["none"] }), nodeGroup("b", { ids: ["gate-*"] })] };
    const { impact } = await mesh.send<Impact>("/api/v1/apply?dryRun=true", change);
    assert.deepEqual(
      impact
        .filter(({ from }) => from !== undefined)
        .map(({ from, nodeGroup: to, proxies }) => ({ from, to, proxies })),
      [{ from: "a", to: "b", proxies: ["gate-1"] }],
    );
    await mesh.apply(change);
    const serves = (name: string) =>
      gate.listenerPort(name).then(
        () => true,
        () => false,
      );
    await eventually(() => serves("b"), "the listener of the new group");
    await eventually(async () => !(await serves("a")), "the listener of the old group is removed");
    assert.equal(await (await fetch(`http://127.0.0.1:${await gate.listenerPort("b")}/`)).text(), "b");
    assert.deepEqual(await listeners(after), ["c"]);
  });
}
