import assert from "node:assert/strict";
import { resource, resources } from "../resources.ts";
import { shown } from "../response.ts";
import { both, deltaOnly, type Lab, type Section, sotwOnly } from "../suite.ts";

const known =
  "On reconnect the Incremental xDS client may tell the server of its known resources to avoid resending them over the network by sending them in initial_resource_versions.";

export const reconnecting: Section = {
  title: "Incremental xDS: reconnecting",
  rules: [
    {
      does: "sends only later changes to a client that names the versions that it holds",
      says: known,
      variants: deltaOnly,
      behaviours: [8],
      async check(lab) {
        const versions = await receivedVersions(lab, { same: 1, changed: 1 });
        await lab.publish(resource("CDS", "changed", 2), resource("CDS", "added"));
        const stream = lab.open();
        stream.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions: versions });
        await stream.takes("CDS added@1 changed@2");
        await stream.quiet();
      },
    },
    {
      does: "reports deletions from the time when the client was disconnected",
      learned: "Servers answer a reconnect with the difference to initial_resource_versions, including removals.",
      source: "istio/istio#41494, envoyproxy/envoy#22418",
      variants: deltaOnly,
      behaviours: [8],
      async check(lab) {
        const versions = await receivedVersions(lab, { same: 1, gone: 1 });
        await lab.remove({ type: "CDS", name: "gone" });
        const wild = lab.open();
        wild.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions: versions });
        await wild.takes("CDS -gone");
        const legacy = lab.open();
        legacy.delta("CDS", { initialResourceVersions: versions });
        await legacy.takes("CDS -gone");
      },
    },
    {
      does: "sends nothing that a reconnecting client has, however it subscribes",
      says: known,
      variants: deltaOnly,
      behaviours: [8],
      async check(lab) {
        const versions = await receivedVersions(lab, { a: 1, b: 1 });
        const legacy = lab.open();
        legacy.delta("CDS", { initialResourceVersions: versions });
        const named = lab.open();
        named.delta("CDS", { resourceNamesSubscribe: ["a", "b"], initialResourceVersions: versions });
        for (const stream of [legacy, named]) {
          // An empty response is allowed, because a client may wait for the first response.
          stream.subscribe("RTDS", "fence");
          for (let response = await stream.next(); response.type !== "RTDS"; response = await stream.next()) {
            assert.equal(shown(response), "CDS");
            stream.ack(response);
          }
        }
        await lab.publish(resource("CDS", "a", 2));
        await legacy.takes("CDS a@2");
        await named.takes("CDS a@2");
      },
    },
    {
      does: "sends a resource again when the client names a version of it that the server does not know",
      says: "The map's values are opaque resource versions.",
      source: "discovery.proto, DeltaDiscoveryRequest.initial_resource_versions",
      variants: deltaOnly,
      behaviours: [9],
      async check(lab) {
        const versions = await receivedVersions(lab, { a: 1, b: 1 });
        const stream = lab.open();
        stream.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions: { ...versions, b: "1" } });
        await stream.takes("CDS b@1");
        await stream.quiet();
      },
    },
    {
      does: "accepts the versions of each type on one stream",
      says: "In ADS, the first message of each type_url of a reconnected stream populates this map.",
      source: "discovery.proto, DeltaDiscoveryRequest.initial_resource_versions",
      variants: deltaOnly,
      behaviours: [8],
      async check(lab) {
        const clusters = await receivedVersions(lab, { a: 1 });
        await lab.publish(...resources("EDS", { a: 1, b: 1 }));
        const first = lab.open();
        first.subscribe("EDS", "a", "b");
        const endpoints = versionsOf(await first.takes("EDS a@1 b@1"));
        await lab.publish(resource("EDS", "b", 2));
        const stream = lab.open();
        stream.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions: clusters });
        stream.delta("EDS", { resourceNamesSubscribe: ["a", "b"], initialResourceVersions: endpoints });
        for (;;) {
          const response = await stream.next();
          stream.ack(response);
          if (shown(response) === "CDS") continue;
          assert.equal(shown(response), "EDS b@2");
          break;
        }
        await stream.quiet();
      },
    },
    {
      does: "accepts a wildcard together with a name, as Envoy reconnects after requests on demand",
      says: "Because no state is assumed to be preserved from the previous stream, the reconnecting client must provide the server with all resource names it is interested in.",
      variants: deltaOnly,
      behaviours: [8, 10],
      async check(lab) {
        const versions = await receivedVersions(lab, { a: 1, asked: 1 });
        await lab.publish(resource("CDS", "asked", 2));
        const stream = lab.open();
        stream.delta("CDS", { resourceNamesSubscribe: ["*", "asked"], initialResourceVersions: versions });
        await stream.takes("CDS asked@2");
        await lab.publish(resource("CDS", "a", 2));
        await stream.takes("CDS a@2");
      },
    },
    {
      does: "accepts a first request that is larger than gRPC's default of 4 MiB",
      learned: "A reconnecting client names every version that it holds.",
      source: "envoyproxy/envoy#46072, envoyproxy/gateway#9564",
      variants: deltaOnly,
      behaviours: [15],
      async check(lab) {
        const versions = await receivedVersions(lab, { a: 1 });
        const long = "n".repeat(1000);
        const many = Array.from({ length: 5_000 }, (_, index) => [`${long}-${index}`, "long-gone"] as const);
        const stream = lab.open();
        const initialResourceVersions = { ...Object.fromEntries(many), ...versions };
        stream.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions });
        await stream.gathers("CDS", ...many.map(([name]) => `-${name}`));
        await stream.quiet();
      },
    },
    {
      does: "sends all resources to a client that reconnects with a version that the server does not know",
      says: "If the stream becomes broken and the client creates a new stream, the client's initial request on the new stream should indicate the most recent version seen by the client on the previous stream.",
      variants: sotwOnly,
      behaviours: [9],
      async check(lab) {
        await lab.serve(resource("CDS", "a"), resource("EDS", "a"));
        const stream = lab.open();
        stream.sotw("CDS", { versionInfo: "1" });
        await stream.takes("CDS a@1");
        stream.sotw("EDS", { versionInfo: "1", resourceNames: ["a"] });
        await stream.takes("EDS a@1");
      },
    },
    {
      does: "sends a newly subscribed resource to a client that reconnects with the newest version",
      says: "Servers may decide to optimize by not resending resources that the client had already seen on the previous stream, but only if they know that the client is not subscribing to a new resource that it was not previously subscribed to.",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const first = lab.open();
        first.subscribe("EDS", "foo");
        const { version } = await first.takes("EDS foo@1");
        const stream = lab.open();
        stream.sotw("EDS", { versionInfo: version, resourceNames: ["foo", "bar"] });
        await stream.gathers("EDS", "bar@1");
      },
    },
    {
      does: "does not use a version for other content after a restart",
      learned: "A version from before a restart must not be mistaken for a current one.",
      source: "agent-substrate/substrate#617, wso2/api-platform#1196",
      variants: both,
      needs: ["restart"],
      behaviours: [9],
      async check(lab) {
        const versions = await receivedVersions(lab, { a: 1, b: 1 });
        await lab.target.restart?.();
        await lab.publish(resource("CDS", "a", 2));
        const stream = lab.open();
        if (lab.variant === "sotw") {
          stream.sotw("CDS", { versionInfo: Object.values(versions)[0] ?? "" });
          await stream.takes("CDS a@2 b@1");
        } else {
          stream.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions: versions });
          // The server may send an unchanged resource again, but need not.
          await stream.gathers("CDS", "a@2");
        }
      },
    },
    {
      does: "sends nothing after a restart to a client that has everything",
      says: known,
      strength: "may",
      variants: deltaOnly,
      needs: ["restart"],
      behaviours: [9],
      async check(lab) {
        const versions = await receivedVersions(lab, { a: 1, b: 1 });
        await lab.target.restart?.();
        const stream = lab.open();
        stream.delta("CDS", { resourceNamesSubscribe: ["*"], initialResourceVersions: versions });
        await stream.quiet();
      },
    },
  ],
};

/** Publishes clusters, and returns the versions that a client received. */
async function receivedVersions(
  lab: Lab,
  revisions: Readonly<Record<string, number>>,
): Promise<Record<string, string>> {
  await lab.serve(...resources("CDS", revisions));
  const stream = lab.open();
  stream.subscribe("CDS");
  const response = await stream.next();
  stream.close();
  if (lab.variant === "sotw") return { "": response.version };
  return versionsOf(response);
}

function versionsOf({ resources }: Awaited<ReturnType<ReturnType<Lab["open"]>["next"]>>): Record<string, string> {
  return Object.fromEntries(resources.map(({ name, version }) => [name, version]));
}
