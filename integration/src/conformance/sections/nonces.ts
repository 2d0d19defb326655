import { resource, resources } from "../resources.ts";
import { shown } from "../response.ts";
import { deltaOnly, type Section, sotwOnly } from "../suite.ts";

export const nonces: Section = {
  title: "Resource updates: nonces and stale requests",
  rules: [
    {
      does: "sends the added resource when the list of names grows and the version stays the same",
      says: "if Envoy is at EDS version X and knows only about cluster foo, but then receives a CDS update and learns about bar in addition, it may issue an additional DiscoveryRequest for X with {foo,bar} as resource_names.",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        await stream.takes("EDS foo@1");
        stream.subscribe("EDS", "bar");
        await stream.gathers("EDS", "bar@1");
        await stream.quiet();
      },
    },
    {
      does: "does not answer a request with the nonce before the last, and does not treat it as a NACK",
      says: "The management server should not send a DiscoveryResponse for any DiscoveryRequest that has a stale nonce.",
      variants: sotwOnly,
      behaviours: [11],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const old = await stream.takes("EDS foo@1");
        await lab.publish(resource("EDS", "foo", 2));
        const newer = await stream.next();
        // The client sends this before it receives the newer response.
        stream.sotw("EDS", { versionInfo: old.version, responseNonce: old.nonce, resourceNames: ["foo", "bar"] });
        await stream.quiet();
        stream.ack(newer);
        await stream.quiet();
        stream.subscribe("EDS", "bar");
        await stream.gathers("EDS", "bar@1");
      },
    },
    {
      does: "uses the subscription of the request that follows a stale one",
      says: "The nonce allows the management server to ignore any further DiscoveryRequests for the previous version until a DiscoveryRequest bearing the nonce.",
      source: "discovery.proto, DiscoveryResponse.nonce",
      variants: sotwOnly,
      behaviours: [11],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const old = await stream.takes("EDS foo@1");
        await lab.publish(resource("EDS", "foo", 2));
        const { version: versionInfo, nonce: responseNonce } = await stream.next();
        const resourceNames = ["foo", "bar"];
        stream.sotw("EDS", { versionInfo: old.version, responseNonce: old.nonce, resourceNames });
        stream.sotw("EDS", { versionInfo, responseNonce, resourceNames });
        await stream.gathers("EDS", "bar@1");
        await stream.quiet();
      },
    },
    {
      does: "accepts several requests with one nonce",
      says: "It may process multiple DiscoveryRequests at a version until a new version is ready.",
      variants: sotwOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        await stream.takes("EDS foo@1");
        stream.subscribe("EDS", "foo");
        stream.subscribe("EDS", "foo");
        await stream.quiet();
        await lab.publish(resource("EDS", "foo", 2));
        await stream.takes("EDS foo@2");
      },
    },
    {
      does: "accepts a change of the subscription with any nonce",
      says: "the server must honor changes to the subscription state even if the nonce is stale. The nonce may be used to correlate an ack/nack with a server response, but should not be used to reject stale requests.",
      variants: deltaOnly,
      behaviours: [11],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1, baz: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const old = await stream.takes("EDS foo@1");
        await lab.publish(resource("EDS", "foo", 2));
        await stream.takes("EDS foo@2");
        stream.delta("EDS", { responseNonce: old.nonce, resourceNamesSubscribe: ["bar"] });
        await stream.takes("EDS bar@1");
        stream.delta("EDS", { responseNonce: "never-sent", resourceNamesSubscribe: ["baz"] });
        await stream.takes("EDS baz@1");
        stream.delta("EDS", { responseNonce: old.nonce, resourceNamesUnsubscribe: ["foo"] });
        await stream.drained();
        await lab.publish(resource("EDS", "foo", 3));
        await stream.quiet();
      },
    },
    {
      does: "does not treat a request without a nonce as the answer to the response in flight",
      says: "Spontaneous DeltaDiscoveryRequests from the client. This can be done to dynamically add or remove elements from the tracked resource_names set. In this case response_nonce must be omitted.",
      variants: deltaOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const inFlight = await stream.next();
        stream.subscribe("EDS", "bar");
        stream.nack(inFlight, "foo: no");
        await stream.gathers("EDS", "bar@1");
        await stream.quiet();
      },
    },
    {
      does: "accepts names to add and remove in an ACK",
      says: "These two fields can be set in any DeltaDiscoveryRequest, including ACKs and initial_resource_versions.",
      source: "discovery.proto, DeltaDiscoveryRequest.resource_names_subscribe",
      variants: deltaOnly,
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const { nonce } = await stream.next();
        const change = { resourceNamesSubscribe: ["bar"], resourceNamesUnsubscribe: ["foo"] };
        stream.delta("EDS", { responseNonce: nonce, ...change });
        await stream.takes("EDS bar@1");
        await lab.publish(resource("EDS", "foo", 2));
        await stream.quiet();
      },
    },
    {
      does: "sends a resource again when the client re-subscribes to it, even if the client has its newest version",
      says: 'the server must still provide those resources in the response; due to implementation details hidden from the server, the client may have "forgotten" those resources despite apparently remaining subscribed.',
      variants: deltaOnly,
      behaviours: [7],
      async check(lab) {
        for (const type of ["EDS", "CDS"] as const) {
          await lab.serve(...resources(type, { foo: 1, bar: 1 }));
          const stream = lab.open();
          stream.subscribe(type, "foo", "bar");
          await stream.takes(`${type} bar@1 foo@1`);
          stream.subscribe(type, "foo");
          await stream.takes(`${type} foo@1`);
          await stream.quiet();
        }
      },
    },
    {
      does: "sends a resource again when the client unsubscribes and at once re-subscribes",
      says: "the client may have dropped them, but then regained interest before it had a chance to send the unsubscribe message.",
      source: "discovery.proto, DeltaDiscoveryRequest.resource_names_subscribe",
      variants: deltaOnly,
      behaviours: [7],
      async check(lab) {
        await lab.serve(resource("EDS", "foo"));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        await stream.takes("EDS foo@1");
        stream.unsubscribe("EDS", "foo");
        stream.subscribe("EDS", "foo");
        await stream.takes("EDS foo@1");
        await stream.quiet();
      },
    },
    {
      does: "follows the document's figure: two updates, a NACK of the second, then a new subscription",
      says: 'In this first example the client connects and receives a first update that it ACKs. The second update fails and the client NACKs the update. Later the xDS client spontaneously requests the "wc" resource.',
      variants: deltaOnly,
      behaviours: [1],
      async check(lab) {
        await lab.serve(...resources("EDS", { foo: 1, bar: 1, wc: 1 }));
        const stream = lab.open();
        stream.subscribe("EDS", "foo", "bar");
        await stream.takes("EDS bar@1 foo@1");
        await lab.publish(resource("EDS", "foo", 2));
        const second = await stream.next();
        stream.nack(second, `${shown(second)} is not valid`);
        await stream.quiet();
        stream.subscribe("EDS", "wc");
        await stream.gathers("EDS", "wc@1");
        await stream.quiet();
      },
    },
  ],
};
