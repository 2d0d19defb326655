import assert from "node:assert/strict";
import { resource, resources } from "../resources.ts";
import { both, deltaOnly, type Section, sotwOnly } from "../suite.ts";

const legacy =
  'if the client sends a request for a given resource type but has never explicitly subscribed to any resource names (...), the server should treat that identically to how it would treat the client having explicitly subscribed to "*".';

export const subscribing: Section = {
  title: "How the client specifies what resources to return",
  rules: [
    {
      does: "sends only the named listeners and clusters to a client that names them",
      says: "The management server must supply the requested resources if they exist.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("LDS", { mine: 1, other: 1 }), ...resources("CDS", { mine: 1, other: 1 }));
        const stream = lab.open();
        stream.subscribe("LDS", "mine");
        await stream.takes("LDS mine@1");
        stream.subscribe("CDS", "mine");
        await stream.takes("CDS mine@1");
        await stream.quiet();
      },
    },
    {
      does: "sends a resource again after the client unsubscribes and re-subscribes, even if it did not change",
      says: "When the client sends a new request that changes the set of resources being requested, the server must resend any newly requested resources, even if it previously sent those resources without having been asked for them and the resources have not changed since that time.",
      variants: both,
      behaviours: [7],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo", "bar");
        await stream.takes("EDS bar@1 foo@1");
        stream.unsubscribe("EDS", "foo");
        await stream.drained();
        stream.subscribe("EDS", "foo");
        await stream.gathers("EDS", "foo@1");
        await stream.quiet();
      },
    },
    {
      does: "sends a resource again when the client adds its name to a wildcard, even if it did not change",
      says: "the server must resend any newly requested resources, even if it previously sent those resources without having been asked for them and the resources have not changed since that time.",
      variants: both,
      behaviours: [7, 10],
      async check(lab) {
        await lab.serve(...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS", "*");
        await stream.takes("CDS a@1 b@1");
        stream.subscribe("CDS", "a");
        await stream.takes(lab.variant === "sotw" ? "CDS a@1 b@1" : "CDS a@1");
        await stream.quiet();
      },
    },
    {
      does: "treats an explicit wildcard as a subscription to all resources, including later ones",
      says: 'there is also a "wildcard" subscription, which is triggered when subscribing to the special name "*".',
      variants: both,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("LDS", { a: 1, b: 1 }), ...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        for (const type of ["CDS", "LDS"] as const) {
          stream.subscribe(type, "*");
          await stream.takes(`${type} a@1 b@1`);
          await lab.publish(resource(type, "c"));
          await stream.takes(lab.variant === "sotw" ? `${type} a@1 b@1 c@1` : `${type} c@1`);
        }
        await stream.quiet();
      },
    },
    {
      does: "treats an empty first request as a wildcard",
      says: `For historical reasons, ${legacy}`,
      variants: both,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("LDS", { a: 1, b: 1 }), ...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        for (const type of ["CDS", "LDS"] as const) {
          stream.subscribe(type);
          await stream.takes(`${type} a@1 b@1`);
          await lab.publish(resource(type, "c"));
          await stream.takes(lab.variant === "sotw" ? `${type} a@1 b@1 c@1` : `${type} c@1`);
        }
        await stream.quiet();
      },
    },
    {
      does: "answers a wildcard at once when there are no resources",
      learned: "At its start, Envoy waits for the first response of CDS and of LDS, even if it is empty.",
      source: "envoyproxy/envoy#5862",
      variants: both,
      behaviours: [10],
      async check(lab) {
        await lab.serve();
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS");
        stream.subscribe("LDS", "*");
        await stream.takes("LDS");
        await stream.quiet();
      },
    },
    {
      does: "follows the document's example: implicit wildcard, explicit wildcard and a name, only the name, nothing",
      says: "Although this request is identical to the first one, it is not interpreted as a wildcard subscription, because there has previously been a request on this stream for this resource type that set the resource_names field.",
      variants: sotwOnly,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("CDS", { A: 1, other: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS A@1 other@1");
        stream.subscribe("CDS", "*", "A");
        await lab.publish(resource("CDS", "other", 2));
        await stream.gathers("CDS", "other@2");
        stream.unsubscribe("CDS", "*");
        await stream.drained();
        await lab.publish(...resources("CDS", { A: 2, other: 3 }));
        assert.ok(!(await stream.gathers("CDS", "A@2")).has("other@3"), "the client unsubscribed from the wildcard");
        stream.unsubscribe("CDS", "A");
        await stream.drained();
        await lab.publish(...resources("CDS", { A: 3, other: 4 }));
        await stream.quiet();
      },
    },
    {
      does: "follows the document's example: implicit wildcard, a name added, the wildcard removed, the name removed",
      says: "Although the set of subscribed resources is now empty, just as it was after the initial request, it is not interpreted as a wildcard subscription",
      variants: deltaOnly,
      behaviours: [10],
      async check(lab) {
        await lab.serve(...resources("CDS", { A: 1, other: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS A@1 other@1");
        stream.subscribe("CDS", "A");
        await lab.publish(resource("CDS", "other", 2));
        await stream.gathers("CDS", "other@2");
        stream.unsubscribe("CDS", "*");
        await stream.drained();
        await lab.publish(...resources("CDS", { A: 2, other: 3 }));
        assert.ok(!(await stream.gathers("CDS", "A@2")).has("other@3"), "the client unsubscribed from the wildcard");
        stream.unsubscribe("CDS", "A");
        await stream.drained();
        await lab.publish(...resources("CDS", { A: 3, other: 4 }));
        await stream.quiet();
      },
    },
    {
      does: "treats a list that becomes empty as no subscription, not as a wildcard",
      says: "If the list of resource names becomes empty, that means that the client is no longer interested in any resources of the specified type.",
      variants: both,
      behaviours: [10, 12],
      async check(lab) {
        await lab.serve(...resources("LDS", { mine: 1, other: 1 }));
        const stream = lab.open();
        stream.subscribe("LDS", "mine");
        await stream.takes("LDS mine@1");
        stream.unsubscribe("LDS", "mine");
        await stream.drained();
        await lab.publish(...resources("LDS", { mine: 2, other: 2 }));
        await lab.remove({ type: "LDS", name: "mine" });
        await stream.quiet();
      },
    },
    {
      does: "sends a resource once when the client subscribes to it by wildcard and by name",
      says: "It is an error for a server to send a single response that contains the same resource name twice.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS", "*", "a");
        for (const revision of [2, 3]) {
          const response = await stream.next();
          const names = response.resources.map(({ name }) => name);
          assert.deepEqual(names, [...new Set(names)]);
          await lab.publish(resource("CDS", "a", revision));
          stream.ack(response);
        }
      },
    },
    {
      does: "sends a resource once when a request names it twice",
      says: "It is an error for a server to send a single response that contains the same resource name twice.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        const twice = ["foo", "bar", "foo"];
        if (lab.variant === "sotw") stream.sotw("EDS", { resourceNames: twice });
        else stream.delta("EDS", { resourceNamesSubscribe: twice });
        await stream.takes("EDS bar@1 foo@1");
      },
    },
    {
      does: "accepts several names in one request, and one request for each name",
      says: "management servers should be capable of handling one or more resource_names for a given resource type in each request.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const together = lab.open();
        together.subscribe("EDS", "foo", "bar");
        await together.gathers("EDS", "foo@1", "bar@1");
        const growing = lab.open();
        growing.subscribe("EDS", "foo");
        await growing.takes("EDS foo@1");
        growing.subscribe("EDS", "bar");
        await growing.gathers("EDS", "bar@1");
        for (const stream of [together, growing]) await stream.quiet();
      },
    },
  ],
};
