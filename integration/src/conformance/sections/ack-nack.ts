import assert from "node:assert/strict";
import type { ClientStream } from "../client-stream.ts";
import { resource, resources } from "../resources.ts";
import { shown } from "../response.ts";
import { both, type Section, sotwOnly } from "../suite.ts";

export const ackNack: Section = {
  title: "ACK/NACK and resource type instance version",
  rules: [
    {
      does: "changes the version when a resource of the type changes",
      says: "Whenever one resource of that type changes, the version is changed.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS");
        const { version } = await stream.takes("CDS a@1 b@1");
        await lab.publish(resource("CDS", "a", 2));
        const after = await stream.next();
        assert.notEqual(after.version, version);
        assert.notEqual(version, "");
      },
    },
    {
      does: "keeps the version of a type when another type changes",
      says: "The resource type instance version is separate for each resource type.",
      variants: both,
      async check(lab) {
        await lab.serve(resource("CDS", "a"), resource("RDS", "a"));
        const versionNow = async (): Promise<string> => {
          const stream = lab.open();
          stream.subscribe("CDS");
          return (await stream.takes("CDS a@1")).version;
        };
        const before = await versionNow();
        await lab.publish(resource("RDS", "a", 2));
        assert.equal(await versionNow(), before);
      },
    },
    {
      does: "gives the same content the same version on every stream",
      says: "Note that the version for a resource type is not a property of an individual xDS stream but rather a property of the resources themselves.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("CDS", { a: 1, b: 1 }));
        const versions: string[] = [];
        for (let count = 0; count < 2; count += 1) {
          const stream = lab.open();
          stream.subscribe("CDS");
          versions.push((await stream.takes("CDS a@1 b@1")).version);
        }
        assert.equal(versions[0], versions[1]);
      },
    },
    {
      does: "does not answer an ACK",
      says: "ACK signifies successful configuration update and contains the version_info from the DiscoveryResponse.",
      variants: both,
      async check(lab) {
        await lab.serve(resource("CDS", "a"), resource("EDS", "a"));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS a@1");
        await stream.quiet();
        stream.subscribe("EDS", "a");
        await stream.takes("EDS a@1");
        await stream.quiet();
      },
    },
    {
      does: "does not send a rejected response again while nothing changes",
      says: "If the management server provides the same set of resources rather than waiting for a change to occur, it will cause needless work on both the client and the management server, which could have a severe performance impact.",
      variants: both,
      behaviours: [1],
      async check(lab) {
        await lab.serve(resource("LDS", "a"));
        const stream = lab.open();
        stream.subscribe("LDS");
        await stream.takes("LDS a@1");
        await lab.publish(resource("LDS", "a", 2));
        const bad = await stream.next();
        assert.equal(shown(bad), "LDS a@2");
        stream.nack(bad, "Error adding/updating listener(s) a: no");
        await stream.quiet();
        // A publication of another type is no reason either.
        await lab.publish(resource("RDS", "other"));
        await stream.quiet();
      },
    },
    {
      does: "does not send the first response again when it is rejected",
      says: "it would reply with error_detail populated and its previous version, which in this case was the empty initial version.",
      variants: both,
      behaviours: [1],
      async check(lab) {
        await lab.serve(resource("CDS", "a"), resource("EDS", "a"));
        const stream = lab.open();
        for (const [type, names] of [
          ["CDS", []],
          ["EDS", ["a"]],
        ] as const) {
          stream.subscribe(type, ...names);
          stream.nack(await stream.next(), "a: no");
          await stream.quiet();
        }
      },
    },
    {
      does: "sends a later version after a NACK",
      says: "After a NACK, an API update may succeed at a new version Y.",
      variants: both,
      behaviours: [1],
      async check(lab) {
        await lab.serve(resource("CDS", "a"));
        const stream = lab.open();
        stream.subscribe("CDS");
        stream.nack(await stream.next(), "Error adding/updating cluster(s) a: no");
        await lab.publish(resource("CDS", "a", 2));
        await rejectedUntil(stream, "CDS a@2");
      },
    },
    {
      does: "recognises a NACK by its error_detail, even if it names the version that was sent",
      says: "The preferred mechanism for a server to detect a NACK is to look for the presence of the error_detail field in the request sent by the client.",
      variants: sotwOnly,
      behaviours: [2],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const { version } = await stream.takes("EDS foo@1");
        // A client may reject a newly subscribed resource at the same version at which it accepted another one.
        stream.subscribe("EDS", "bar");
        const { nonce } = await stream.next();
        const errorDetail = { code: 3, message: "bar: no" };
        stream.sotw("EDS", { versionInfo: version, responseNonce: nonce, resourceNames: ["foo", "bar"], errorDetail });
        await stream.quiet();
        await lab.publish(resource("EDS", "bar", 2));
        await stream.gathers("EDS", "bar@2");
      },
    },
    {
      does: "does not treat a request without error_detail as a NACK, whatever version it names",
      says: "if the version in the request is not equal to the one sent by the server with that nonce, then the client has rejected the most recent version. However, this approach does not work",
      variants: sotwOnly,
      behaviours: [2],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const { nonce } = await stream.takes("EDS foo@1");
        stream.sotw("EDS", { versionInfo: "", responseNonce: nonce, resourceNames: ["foo", "bar"] });
        await stream.gathers("EDS", "bar@1");
      },
    },
    {
      does: "continues to send the other types after a NACK",
      says: "each resource type has its own version even though all resource types are being sent on the same stream.",
      variants: both,
      async check(lab) {
        await lab.serve(resource("EDS", "a"), resource("RDS", "a"));
        const stream = lab.open();
        stream.subscribe("EDS", "a");
        stream.nack(await stream.next(), "a: no");
        stream.subscribe("RDS", "a");
        await rejectedUntil(stream, "RDS a@1");
        await lab.publish(resource("RDS", "a", 2));
        await rejectedUntil(stream, "RDS a@2");
      },
    },
    {
      does: "continues to send the other resources of the type after a NACK",
      says: "The server may send additional responses at any time when the subscribed resources change.",
      variants: both,
      async check(lab) {
        await lab.serve(...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS a@1 b@1");
        await lab.publish(resource("CDS", "a", 2));
        stream.nack(await stream.next(), "Error adding/updating cluster(s) a: no");
        await lab.publish(resource("CDS", "b", 2));
        await stream.gathers("CDS", "b@2");
      },
    },
    {
      does: "does not send a rejected resource again together with a change of another one",
      learned: "A rejected configuration is not sent again until it changes.",
      source: "behaviour 1 below",
      strength: "may",
      variants: both,
      behaviours: [1],
      async check(lab) {
        await lab.serve(...resources("CDS", { a: 1, b: 1 }));
        const stream = lab.open();
        stream.subscribe("CDS");
        await stream.takes("CDS a@1 b@1");
        await lab.publish(resource("CDS", "a", 2));
        stream.nack(await stream.next(), "Error adding/updating cluster(s) a: no");
        await lab.publish(resource("CDS", "b", 2));
        // A SotW response without a would delete it, so the server sends the last good version of a.
        await stream.takes(lab.variant === "sotw" ? "CDS a@1 b@2" : "CDS b@2");
      },
    },
  ],
};

/** NACKs responses until the expected one arrives, and ACKs that one. */
async function rejectedUntil(stream: ClientStream, expected: string): Promise<void> {
  for (;;) {
    const response = await stream.next();
    if (shown(response) === expected) return stream.ack(response);
    stream.nack(response, "a: no");
  }
}
