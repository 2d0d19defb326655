import assert from "node:assert/strict";
import type { ClientStream } from "../client-stream.ts";
import { resource, type TypeName } from "../resources.ts";
import { shown } from "../response.ts";
import { both, type Lab, type Section } from "../suite.ts";

export const ordering: Section = {
  title: "Resource warming, and eventual consistency considerations",
  rules: [
    {
      does: "sends a cluster's endpoints again when the cluster changes, even if they did not change",
      says: "Warming of Cluster is completed only when a new ClusterLoadAssignment response is supplied by management server even though there is no change in endpoints.",
      variants: both,
      behaviours: [3],
      async check(lab) {
        const stream = await settled(lab);
        await lab.publish(resource("CDS", "x", 2));
        await stream.takes("CDS x@2");
        await stream.takes("EDS x@1");
        await stream.quiet();
      },
    },
    {
      does: "sends clusters first, then their endpoints, then listeners, then routes",
      says: "CDS updates (if any) must always be pushed first. EDS updates (if any) must arrive after CDS updates for the respective clusters. LDS updates must arrive after corresponding CDS/EDS updates. RDS updates related to the newly added listeners must arrive after CDS/EDS/LDS updates.",
      variants: both,
      behaviours: [4],
      async check(lab) {
        const stream = await settled(lab);
        // Published in the opposite order, which must not matter.
        await lab.publish(...(["RDS", "LDS", "EDS", "CDS"] as const).map((type) => resource(type, "x", 2)));
        const order: string[] = [];
        while (order.length < 4) {
          const response = await stream.next();
          order.push(shown(response));
          stream.ack(response);
        }
        assert.deepEqual(order, ["CDS x@2", "EDS x@2", "LDS x@2", "RDS x@2"]);
        await stream.quiet();
      },
    },
    {
      does: "sends no route or listener before the client ACKs the clusters that were published with it",
      says: "routes are not warmed, i.e., the management plane must ensure that clusters referenced by a route are in place, before pushing the updates for a route.",
      variants: both,
      behaviours: [4],
      async check(lab) {
        const stream = await settled(lab);
        await lab.publish(resource("CDS", "y"), resource("EDS", "y"), resource("RDS", "x", 2), resource("LDS", "x", 2));
        const clusters = await stream.next();
        assert.equal(clusters.type, "CDS");
        await stream.quiet();
        stream.subscribe("EDS", "y");
        await stream.gathers("EDS", "y@1");
        await stream.quiet();
        stream.ack(clusters);
        await stream.takes("LDS x@2");
        await stream.takes("RDS x@2");
      },
    },
    {
      does: "replaces the cluster of a route: sends the new one, then the route, and removes the old one last",
      says: "traffic drop could have been avoided by providing a CDS/EDS update with both X and Y, then the RDS update repointing from X to Y and then a CDS/EDS update dropping X.",
      variants: both,
      behaviours: [4, 5],
      async check(lab) {
        const stream = await settled(lab);
        await lab.change(
          [resource("CDS", "y"), resource("EDS", "y"), resource("RDS", "x", 2)],
          [{ type: "CDS", name: "x" }],
        );
        const isSotw = lab.variant === "sotw";
        await stream.takes(isSotw ? "CDS x@1 y@1" : "CDS y@1");
        await stream.takes("RDS x@2");
        await stream.takes(isSotw ? "CDS y@1" : "CDS -x");
        await stream.quiet();
      },
    },
    {
      does: "removes a cluster only after the client ACKs the routes that no longer use it",
      says: "Stale CDS clusters and related EDS endpoints (ones no longer being referenced) can then be removed.",
      variants: both,
      behaviours: [5],
      async check(lab) {
        const stream = await settled(lab);
        await lab.change([resource("RDS", "x", 2)], [{ type: "CDS", name: "x" }]);
        const routes = await stream.next();
        assert.equal(shown(routes), "RDS x@2");
        await stream.quiet();
        stream.ack(routes);
        await stream.takes(lab.variant === "sotw" ? "CDS" : "CDS -x");
      },
    },
    {
      does: "does not remove a cluster while the client rejects the new routes and keeps old ones that use it",
      says: "Stale CDS clusters and related EDS endpoints (ones no longer being referenced) can then be removed.",
      variants: both,
      behaviours: [5],
      async check(lab) {
        const stream = await settled(lab);
        await lab.change([resource("RDS", "x", 2)], [{ type: "CDS", name: "x" }]);
        stream.nack(await stream.next(), "x: no such thing");
        await stream.quiet();
        await lab.publish(resource("RDS", "x", 3));
        await stream.takes("RDS x@3");
        await stream.takes(lab.variant === "sotw" ? "CDS" : "CDS -x");
      },
    },
  ],
};

/** A client that holds a cluster, its endpoints, a listener and its routes, all named "x". */
async function settled(lab: Lab): Promise<ClientStream> {
  const types: readonly TypeName[] = ["CDS", "EDS", "LDS", "RDS"];
  await lab.serve(...types.map((type) => resource(type, "x")));
  const stream = lab.open();
  for (const type of types) {
    if (type === "CDS" || type === "LDS") stream.subscribe(type);
    else stream.subscribe(type, "x");
    await stream.takes(`${type} x@1`);
  }
  return stream;
}
