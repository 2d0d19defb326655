import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceType } from "../resources/resource-types.ts";
import type { Resource } from "../resources/snapshot.ts";
import { PublicationTimes } from "./publication-times.ts";
import { SnapshotCache } from "./snapshot-cache.ts";

const { typeUrl } = resourceType("CDS");
const cluster = (name: string, version: string): Resource => ({
  typeUrl,
  name,
  version,
  body: new Uint8Array(),
  rewarms: [],
});

test("knows when each version was first published, in any group", () => {
  const cache = new SnapshotCache();
  let now = 1;
  const publish = (groups: Readonly<Record<string, readonly Resource[]>>) =>
    cache.set({
      snapshots: new Map(
        Object.entries(groups).map(([group, resources]) => [
          group,
          { resources: new Map([[typeUrl, new Map(resources.map((resource) => [resource.name, resource]))]]) },
        ]),
      ),
      groupOf: () => "default",
    });
  const [cart, pay, newCart, other] = [
    cluster("cart", "1"),
    cluster("pay", "1"),
    cluster("cart", "2"),
    cluster("x", "1"),
  ];
  publish({ edge: [cart] });
  const times = new PublicationTimes(cache, () => now);
  now = 2;
  publish({ edge: [cart, pay] });
  now = 3;
  publish({ edge: [newCart, pay], shop: [pay, newCart] });
  assert.deepEqual(
    [cart, pay, newCart, other].map((resource) => times.of(resource)),
    [1, 2, 3, undefined],
  );
});
