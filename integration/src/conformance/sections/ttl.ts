import assert from "node:assert/strict";
import { resource, type TestResource } from "../resources.ts";
import { shown } from "../response.ts";
import { both, type Section, sotwOnly } from "../suite.ts";

const needs = ["TTL"] as const;
/** The client features for TTLs in either variant. */
const features = ["xds.config.supports-resource-ttl", "xds.config.resource-in-sotw"];

export const ttl: Section = {
  title: "TTL",
  rules: [
    {
      does: "sends the TTL of a resource",
      says: "For clients that support the xds.config.supports-resource-ttl client feature, A TTL field may be specified on each Resource.",
      variants: both,
      needs,
      async check(lab) {
        await lab.serve(withTtl(resource("EDS", "foo"), 60), resource("EDS", "bar"));
        const stream = lab.open({ features });
        stream.subscribe("EDS", "foo", "bar");
        const { resources } = await stream.takes("EDS bar@1 foo@1");
        const ttls = Object.fromEntries(resources.map(({ name, ttlMs }) => [name, ttlMs]));
        assert.deepEqual(ttls, { foo: 60_000, bar: undefined });
      },
    },
    {
      does: "does not wrap a resource for a client that cannot unwrap it",
      says: "This feature is gated by the xds.config.supports-resource-in-sotw client feature.",
      variants: sotwOnly,
      needs,
      async check(lab) {
        await lab.serve(withTtl(resource("EDS", "foo"), 60));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const { resources } = await stream.takes("EDS foo@1");
        assert.deepEqual(resources, [{ name: "foo", revision: 1, version: "", aliases: [] }]);
      },
    },
    {
      does: "sends heartbeats in time, with the name and version of the resource and without its content",
      says: "a response can be sent that provides a Resource with the resource unset and version matching the most recently sent version can be used to update the TTL.",
      variants: both,
      needs,
      async check(lab) {
        await lab.serve(withTtl(resource("EDS", "foo"), 1));
        const stream = lab.open({ features });
        stream.subscribe("EDS", "foo");
        const { resources } = await stream.takes("EDS foo@1");
        const sentAt = Date.now();
        for (const beat of [1, 2]) {
          const alive = await stream.takes("EDS foo");
          assert.deepEqual(alive.resources, [
            { name: "foo", version: resources[0]?.version, aliases: [], ttlMs: 1000 },
          ]);
          assert.ok(Date.now() - sentAt < 1000 * beat, "the heartbeat arrives before the TTL ends");
        }
      },
    },
    {
      does: "sends the resource again when its TTL changes or is removed",
      says: "To update the TTL associated with a Resource, the management server resends the resource with a new TTL. To remove the TTL, the management server resends the resource with the TTL field unset.",
      variants: both,
      needs,
      async check(lab) {
        await lab.serve(withTtl(resource("EDS", "foo"), 60));
        const stream = lab.open({ features });
        stream.subscribe("EDS", "foo");
        await stream.takes("EDS foo@1");
        for (const [published, ttlMs] of [
          [withTtl(resource("EDS", "foo"), 90), 90_000],
          [resource("EDS", "foo"), undefined],
        ] as const) {
          await lab.publish(published);
          const response = await stream.next();
          assert.equal(shown(response), "EDS foo@1");
          assert.equal(response.resources[0]?.ttlMs, ttlMs);
          stream.ack(response);
        }
        await stream.quiet();
      },
    },
  ],
};

function withTtl(each: TestResource, seconds: number): TestResource {
  return { ...each, ttlMs: seconds * 1000 };
}
