import { resource, resources } from "../resources.ts";
import { both, type Section, sotwOnly } from "../suite.ts";

export const updates: Section = {
  title: "When to send an update",
  rules: [
    {
      does: "sends nothing when the same content is published again",
      says: "The management server should only send updates to the Envoy client when the resources in the DiscoveryResponse have changed.",
      variants: both,
      async check(lab) {
        const all = [resource("CDS", "a"), ...resources("EDS", { foo: 1, bar: 1 })];
        await lab.serve(...all);
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS a@1");
        stream.subscribe("EDS", "foo", "bar");
        await stream.takes("EDS bar@1 foo@1");
        await lab.publish(...all);
        await stream.quiet();
      },
    },
    {
      does: "sends nothing when a type changes that the client is not subscribed to",
      says: "The management server should only send updates to the Envoy client when the resources in the DiscoveryResponse have changed.",
      variants: both,
      async check(lab) {
        await lab.serve(resource("CDS", "a"), resource("RDS", "a"));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS a@1");
        await lab.publish(resource("RDS", "a", 2));
        await stream.quiet();
      },
    },
    {
      does: "sends nothing when a resource changes that the client is not subscribed to",
      says: "The management server should only send updates to the Envoy client when the resources in the DiscoveryResponse have changed.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("EDS", { mine: 1, other: 1 }), ...resources("LDS", { mine: 1, other: 1 }));
        const stream = lab.open();
        for (const type of ["EDS", "LDS"] as const) {
          stream.subscribe(type, "mine");
          await stream.takes(`${type} mine@1`);
          await lab.publish(resource(type, "other", 2), resource(type, "third"));
          await lab.remove({ type, name: "third" });
          await stream.quiet();
        }
      },
    },
    {
      does: "sends only the newest state to a client that answers late",
      says: "A management server does not need to send an update until it determines a new version is available.",
      variants: both,
      behaviours: [14],
      async check(lab) {
        await lab.serve(resource("EDS", "foo"));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const first = await stream.next();
        for (const revision of [2, 3, 4]) await lab.publish(resource("EDS", "foo", revision));
        stream.ack(first);
        await stream.takes("EDS foo@4");
        await stream.quiet();
      },
    },
    {
      does: "lets a newer request of a type replace an earlier one",
      says: "Within a stream, new DiscoveryRequests supersede any prior DiscoveryRequests having the same resource type.",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        stream.subscribe("EDS", "bar"); // names both, before the first response
        await stream.gathers("EDS", "foo@1", "bar@1");
        await stream.quiet();
      },
    },
  ],
};
