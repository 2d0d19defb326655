import assert from "node:assert/strict";
import { resource, resources } from "../resources.ts";
import { both, deltaOnly, type Section, sotwOnly } from "../suite.ts";

const exception =
  "the server must send a response that includes the specific resource in either the removed_resources field (if it is not included in the wildcard) or in the resources field (if it is included in the wildcard).";

export const unsubscribing: Section = {
  title: "Unsubscribing from resources",
  rules: [
    {
      does: "stops sending unsubscribed resources, and continues with the others",
      says: "if the client had previously been subscribed to resources A and B but wishes to unsubscribe from B, it must send a new request containing only resource A.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("EDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "A", "B");
        await stream.takes("EDS A@1 B@1");
        stream.unsubscribe("EDS", "B");
        await stream.drained();
        await lab.publish(resource("EDS", "B", 2));
        assert.ok(!(await stream.drained()).has("B@2"), "the client unsubscribed from B");
        await lab.publish(resource("EDS", "A", 2));
        await stream.takes("EDS A@2");
      },
    },
    {
      does: "sends no response of a type after the client unsubscribes from all its names, not even an empty one",
      learned:
        "Envoy drops such a response with its nonce. Then each later request looks stale, and the cluster never becomes warm.",
      source: "envoyproxy/envoy#3355",
      variants: both,
      behaviours: [12],
      async check(lab) {
        await lab.serve(...resources("EDS", { A: 1, B: 1 }), resource("CDS", "A"));
        const stream = lab.open();
        for (const type of ["EDS", "CDS"] as const) {
          stream.subscribe(type, "A");
          await stream.takes(`${type} A@1`);
          stream.unsubscribe(type, "A");
        }
        await stream.drained();
        await lab.publish(resource("EDS", "A", 2), resource("CDS", "A", 2));
        await lab.remove({ type: "EDS", name: "A" }, { type: "CDS", name: "A" });
        await stream.quiet();
        await lab.publish(resource("EDS", "A", 3));
        stream.subscribe("EDS", "A");
        await stream.takes("EDS A@3");
      },
    },
    {
      does: "does not answer a request that only unsubscribes",
      says: "In most cases (see below for exception), a server does not need to send any response if a request does nothing except unsubscribe from a resource",
      strength: "may",
      variants: deltaOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "A", "B");
        await stream.takes("EDS A@1 B@1");
        stream.unsubscribe("EDS", "B");
        await stream.quiet();
      },
    },
    {
      does: "accepts a request to unsubscribe from names that were never subscribed to",
      says: "The server must cleanly process such a request; it can simply ignore these phantom unsubscriptions.",
      variants: deltaOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "A");
        await stream.takes("EDS A@1");
        stream.unsubscribe("EDS", "B", "never-existed");
        await stream.drained();
        await lab.publish(resource("EDS", "A", 2));
        await stream.takes("EDS A@2");
      },
    },
    {
      does: "sends a resource again when the client unsubscribes from its name and a wildcard includes it",
      says: `To address this, ${exception}`,
      variants: deltaOnly,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("CDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS", "*", "A");
        await stream.takes("CDS A@1 B@1");
        stream.unsubscribe("CDS", "A");
        await stream.takes("CDS A@1");
        await lab.publish(resource("CDS", "A", 2));
        await stream.takes("CDS A@2");
      },
    },
    {
      does: "reports a name as removed when the client unsubscribes from it and a wildcard does not include it",
      says: `To address this, ${exception}`,
      variants: deltaOnly,
      behaviours: [10],
      async check(lab) {
        await lab.serve(resource("CDS", "A"));
        const stream = lab.open();
        stream.subscribe("CDS", "*", "ghost");
        await stream.gathers("CDS", "A@1");
        await stream.drained();
        stream.unsubscribe("CDS", "ghost");
        await stream.takes("CDS -ghost");
        await stream.quiet();
      },
    },
    {
      does: "continues to send a resource of a wildcard when the client unsubscribes from its name only",
      says: "the client cannot unsubscribe from those resources individually; it can only unsubscribe from the wildcard as a whole.",
      variants: deltaOnly,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("CDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS", "*");
        await stream.takes("CDS A@1 B@1");
        stream.unsubscribe("CDS", "A");
        await lab.publish(resource("CDS", "A", 2));
        await stream.gathers("CDS", "A@2");
      },
    },
    {
      does: "keeps the subscription to a name when the client unsubscribes from the wildcard",
      says: 'Server interprets this as unsubscribing to "*" and continuing the existing subscription to "A".',
      variants: both,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("LDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("LDS", "*", "A");
        await stream.takes("LDS A@1 B@1");
        stream.unsubscribe("LDS", "*");
        await stream.drained();
        await lab.publish(...resources("LDS", { A: 2, B: 2 }));
        assert.ok(!(await stream.gathers("LDS", "A@2")).has("B@2"), "the client unsubscribed from the wildcard");
        await lab.publish(resource("LDS", "B", 3));
        await stream.quiet();
      },
    },
    {
      does: "ends the subscription to a name that a later list leaves out",
      says: "unsubscribing to a set of resources is done by sending a new request containing all resource names that are still being subscribed to but not containing the resource names being unsubscribed to.",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("CDS", { A: 1, B: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS", "A", "B");
        await stream.takes("CDS A@1 B@1");
        stream.unsubscribe("CDS", "B");
        await lab.publish(resource("CDS", "A", 2));
        await stream.gathers("CDS", "A@2");
        await lab.publish(resource("CDS", "B", 2));
        assert.ok(!(await stream.drained()).has("B@2"), "the client's last list does not have B");
      },
    },
  ],
};
