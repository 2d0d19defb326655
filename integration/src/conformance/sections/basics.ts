import assert from "node:assert/strict";
import { resource, resources } from "../resources.ts";
import { shown } from "../response.ts";
import { both, type Section } from "../suite.ts";

export const basics: Section = {
  title: "Basic protocol overview",
  rules: [
    {
      does: "answers the first request with the resources that it names",
      says: "The server will then send a DiscoveryResponse containing any resources that the client has subscribed to that have changed since the last resource type instance version that the client indicated it has seen.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 2, other: 3 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo", "bar");
        await stream.takes("EDS bar@2 foo@1");
        await stream.quiet();
      },
    },
    {
      does: "sends later changes without another request",
      says: "The server may send additional responses at any time when the subscribed resources change.",
      variants: both,
      async check(lab) {
        await lab.serve(resource("LDS", "a"));
        const stream = lab.open();
        stream.subscribe("LDS");
        await stream.takes("LDS a@1");
        for (const revision of [2, 3]) {
          await lab.publish(resource("LDS", "a", revision));
          await stream.takes(`LDS a@${revision}`);
        }
      },
    },
    {
      does: "gives each response of a type a different nonce",
      says: "All server responses will contain a nonce, and all subsequent requests from the client must set the response_nonce field to the most recent nonce received from the server on that stream.",
      variants: both,
      behaviours: [11],
      async check(lab) {
        await lab.serve(resource("EDS", "foo"), resource("CDS", "foo"));
        const stream = lab.open();
        stream.subscribe("CDS");
        stream.subscribe("EDS", "foo");
        const nonces = new Set<string>();
        for (const revision of [1, 2, 3]) {
          await lab.publish(resource("EDS", "foo", revision));
          for (;;) {
            const response = await stream.next();
            stream.ack(response);
            assert.notEqual(response.nonce, "");
            if (response.type !== "EDS") continue;
            assert.ok(!nonces.has(response.nonce), `nonce ${response.nonce} was sent twice`);
            nonces.add(response.nonce);
            if (shown(response) === `EDS foo@${revision}`) break;
          }
        }
      },
    },
    {
      does: "ignores a nonce of an earlier stream",
      says: "Note that the nonce is valid only in the context of an individual xDS stream; it does not survive stream restarts.",
      variants: both,
      behaviours: [9, 11],
      async check(lab) {
        await lab.serve(resource("EDS", "foo"));
        const first = lab.open();
        first.subscribe("EDS", "foo");
        const { nonce } = await first.takes("EDS foo@1");
        first.close();
        const second = lab.open();
        if (lab.variant === "sotw") second.sotw("EDS", { responseNonce: nonce, resourceNames: ["foo"] });
        else second.delta("EDS", { responseNonce: nonce, resourceNamesSubscribe: ["foo"] });
        await second.takes("EDS foo@1");
      },
    },
    {
      does: "needs the node only in the first request of a stream, for all types",
      says: "Only the first request on a stream is guaranteed to carry the node identifier. The subsequent discovery requests on the same stream may carry an empty node identifier.",
      variants: both,
      async check(lab) {
        await lab.serve(resource("CDS", "a"), resource("LDS", "a"), resource("RDS", "a"));
        const stream = lab.open(); // sends the node once
        stream.subscribe("CDS");
        await stream.takes("CDS a@1");
        stream.subscribe("LDS");
        await stream.takes("LDS a@1");
        stream.subscribe("RDS", "a");
        await stream.takes("RDS a@1");
      },
    },
    {
      does: "assumes nothing from a node's earlier streams",
      says: "Because no state is assumed to be preserved from the previous stream, the reconnecting client must provide the server with all resource names it is interested in.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const first = lab.open({ nodeId: "comes-back" });
        first.subscribe("EDS", "foo", "bar");
        await first.takes("EDS bar@1 foo@1");
        first.close();
        const second = lab.open({ nodeId: "comes-back" });
        second.subscribe("EDS", "bar");
        await second.takes("EDS bar@1");
        await lab.publish(resource("EDS", "foo", 2));
        assert.ok(!(await second.drained()).has("foo@2"), "the client subscribed to foo on its first stream only");
      },
    },
    {
      does: "identifies the control plane in each response",
      says: "The control plane instance that sent the response.",
      source: "discovery.proto, DiscoveryResponse.control_plane",
      strength: "may",
      variants: both,
      async check(lab) {
        await lab.serve(resource("CDS", "a"));
        const stream = lab.open();
        stream.subscribe("CDS");
        assert.notEqual((await stream.next()).controlPlane, "");
      },
    },
  ],
};
