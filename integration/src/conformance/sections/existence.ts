import { resource, resources } from "../resources.ts";
import { both, deltaOnly, type Section } from "../suite.ts";

export const existence: Section = {
  title: "Knowing when a requested resource does not exist",
  rules: [
    {
      does: "reports at once that a name does not exist, for each type",
      says: "When a resource subscribed to by a client does not exist, the server will send a DeltaDiscoveryResponse message that contains that resource's name in the removed_resources field.",
      variants: deltaOnly,
      behaviours: [6],
      async check(lab) {
        await lab.serve(resource("EDS", "there"));
        for (const type of ["CDS", "EDS", "LDS", "RDS"] as const) {
          const stream = lab.open();
          stream.subscribe(type, "ghost");
          await stream.takes(`${type} -ghost`);
          await stream.quiet();
        }
      },
    },
    {
      does: "reports that a name does not exist to a client with a wildcard too, as Envoy needs on demand",
      says: "Allows the Envoy to on-demand / lazily request additional resources. For example, requesting a cluster only when a request for that cluster arrives.",
      variants: deltaOnly,
      behaviours: [6],
      async check(lab) {
        await lab.serve(resource("CDS", "a"));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS a@1");
        stream.subscribe("CDS", "ghost");
        await stream.takes("CDS -ghost");
        await lab.publish(resource("CDS", "ghost"));
        await stream.takes("CDS ghost@1");
      },
    },
    {
      does: "remembers a name that does not exist, and sends the resource when it exists",
      says: "Management servers must remember the set of resources being requested by the client, and if one of those resources springs into existence later, the server must send an update to the client informing it of the new resource.",
      variants: both,
      behaviours: [6, 13],
      async check(lab) {
        for (const type of ["EDS", "RDS", "CDS", "LDS"] as const) {
          await lab.serve(resource(type, "there"));
          const stream = lab.open();
          stream.subscribe(type, "there", "later");
          await stream.gathers(type, "there@1");
          await lab.publish(resource(type, "later"));
          await stream.gathers(type, "later@1");
        }
      },
    },
    {
      does: "remembers a name that does not exist, even if the client subscribes to no other",
      says: "Note that even if a requested resource does not exist at the moment when the client requests it, that resource could be created at any time.",
      variants: both,
      behaviours: [6, 13],
      async check(lab) {
        for (const type of ["EDS", "RDS", "LDS"] as const) {
          await lab.serve();
          const stream = lab.open();
          stream.subscribe(type, "later");
          await stream.drained();
          await lab.publish(resource(type, "later"));
          await stream.gathers(type, "later@1");
        }
      },
    },
    {
      does: "sends existing resources at once, without waiting for others that do not exist",
      says: "The management server must supply the requested resources if they exist.",
      variants: both,
      behaviours: [13],
      async check(lab) {
        for (const type of ["EDS", "RDS", "CDS"] as const) {
          await lab.serve(...resources(type, { there: 1 }));
          const stream = lab.open();
          stream.subscribe(type, "there", "ghost");
          await stream.gathers(type, "there@1");
        }
      },
    },
  ],
};
