import { resource, resources } from "../resources.ts";
import { both, deltaOnly, type Section, sotwOnly } from "../suite.ts";

export const responses: Section = {
  title: "Grouping resources into responses, and deleting resources",
  rules: [
    {
      does: "sends only the one changed resource of many",
      says: "if the server has previously sent 100 resources and only one of them has changed, it may send a response containing only the changed resource",
      variants: deltaOnly,
      async check(lab) {
        const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`c${index}`, 1]));
        await lab.serve(...resources("CDS", many));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.gathers("CDS", ...Object.keys(many).map((name) => `${name}@1`));
        await lab.publish(resource("CDS", "c42", 2));
        await stream.takes("CDS c42@2");
        await stream.quiet();
      },
    },
    {
      does: "sends all listeners and clusters again when one changes",
      says: "the server must include the complete state of the world, meaning that all resources of the relevant type that are needed by the client must be included, even if they did not change since the last response.",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("LDS", { a: 1, b: 1 }), ...resources("CDS", { a: 1, b: 1, unasked: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS", "a", "b");
        await stream.takes("CDS a@1 b@1");
        await lab.publish(resource("CDS", "a", 2));
        await stream.takes("CDS a@2 b@1");
        stream.subscribe("LDS");
        await stream.takes("LDS a@1 b@1");
        await lab.publish(resource("LDS", "b", 2));
        await stream.takes("LDS a@1 b@2");
      },
    },
    {
      does: "sends only the changed resources of the other types",
      says: "In the SotW protocol variants, all resource types except for Listener and Cluster are grouped into responses in the same way as in the incremental protocol variants.",
      strength: "may",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }), ...resources("RDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        for (const type of ["EDS", "RDS"] as const) {
          stream.subscribe(type, "foo", "bar");
          await stream.takes(`${type} bar@1 foo@1`);
          await lab.publish(resource(type, "foo", 2));
          await stream.takes(`${type} foo@2`);
        }
      },
    },
    {
      does: "lists deleted resources in removed_resources, for each type that it serves by name",
      says: "In the incremental protocol variants, the server signals the client that a resource should be deleted via the removed_resources field of the response.",
      variants: deltaOnly,
      async check(lab) {
        for (const type of ["CDS", "EDS", "LDS", "RDS"] as const) {
          await lab.serve(...resources(type, { kept: 1, gone: 1 }));
          const stream = lab.open();
          stream.subscribe(type, "kept", "gone");
          await stream.takes(`${type} gone@1 kept@1`);
          await lab.remove({ type, name: "gone" });
          await stream.takes(`${type} -gone`);
          await stream.quiet();
        }
      },
    },
    {
      does: "leaves a deleted listener or cluster out of the next response",
      says: "if a previously seen resource is not present in a new response, that indicates that the resource has been removed, and the client must delete it",
      variants: sotwOnly,
      async check(lab) {
        for (const type of ["CDS", "LDS"] as const) {
          await lab.serve(...resources(type, { kept: 1, gone: 1 }));
          const stream = lab.open();
          stream.subscribe(type);
          await stream.takes(`${type} gone@1 kept@1`);
          await lab.remove({ type, name: "gone" });
          await stream.takes(`${type} kept@1`);
        }
      },
    },
    {
      does: "sends an empty response when the last listener or cluster is deleted",
      says: "a response containing no resources means to delete all resources of that type.",
      variants: sotwOnly,
      async check(lab) {
        for (const type of ["CDS", "LDS"] as const) {
          await lab.serve(resource(type, "gone"));
          const stream = lab.open();
          stream.subscribe(type);
          await stream.takes(`${type} gone@1`);
          await lab.remove({ type, name: "gone" });
          await stream.takes(type);
        }
      },
    },
    {
      does: "reports the deletion of a resource to a client that has it by wildcard",
      says: "This tells the client to remove the resource from its local cache.",
      variants: deltaOnly,
      async check(lab) {
        await lab.serve(...resources("CDS", { kept: 1, gone: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS gone@1 kept@1");
        await lab.remove({ type: "CDS", name: "gone" });
        await stream.takes("CDS -gone");
        await lab.publish(resource("CDS", "gone"));
        await stream.takes("CDS gone@1");
      },
    },
    {
      does: "cannot report that endpoints or routes are deleted, and sends them when they exist again",
      says: "for other resource types, the API provides no mechanism for the server to tell the client that resources have been deleted",
      variants: sotwOnly,
      async check(lab) {
        for (const type of ["EDS", "RDS"] as const) {
          await lab.serve(...resources(type, { kept: 1, gone: 1 }));
          const stream = lab.open();
          stream.subscribe(type, "kept", "gone");
          await stream.takes(`${type} gone@1 kept@1`);
          await lab.remove({ type, name: "gone" });
          await lab.publish(resource(type, "gone", 2));
          await stream.gathers(type, "gone@2"); // earlier responses cannot report the deletion
        }
      },
    },
    {
      does: "sends each state of a resource that is deleted, created again and changed",
      says: "Clients that initially see a resource that does not exist must be prepared for the resource to be created at any time.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("CDS", { kept: 1, gone: 1 }));
        const stream = lab.open();
        const isSotw = lab.variant === "sotw";
        stream.subscribe("CDS", "kept", "gone");
        await stream.takes("CDS gone@1 kept@1");
        await lab.remove({ type: "CDS", name: "gone" });
        await stream.takes(isSotw ? "CDS kept@1" : "CDS -gone");
        await lab.publish(resource("CDS", "gone"));
        await stream.takes(isSotw ? "CDS gone@1 kept@1" : "CDS gone@1");
        await lab.publish(resource("CDS", "gone", 2));
        await stream.takes(isSotw ? "CDS gone@2 kept@1" : "CDS gone@2");
      },
    },
  ],
};
