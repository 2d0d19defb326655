import { resource, type TestResource } from "../resources.ts";
import { shown } from "../response.ts";
import { both, type Section } from "../suite.ts";

const source = "envoyproxy/go-control-plane#503, #875, #570";

export const isolation: Section = {
  title: "Beyond the document: isolation between clients",
  rules: [
    {
      does: "does not delay other clients when one client does not read",
      learned: "One slow or dead client must not block the others or the writes of the operator.",
      source,
      variants: both,
      behaviours: [14],
      async check(lab) {
        await lab.serve(big(1), resource("EDS", "foo"));
        const slow = lab.open();
        slow.pause();
        slow.subscribe("RDS", "big");
        slow.subscribe("EDS", "foo");
        const quick = lab.open();
        quick.subscribe("RDS", "big");
        await quick.takes("RDS big@1");
        for (let revision = 2; revision < 7; revision += 1) {
          await lab.publish(big(revision));
          await quick.takes(`RDS big@${revision}`);
        }
        await quick.quiet();
      },
    },
    {
      does: "keeps no queue for a client that does not read, and sends it the newest state",
      learned: "One slow or dead client must not block the others or the writes of the operator.",
      source,
      variants: both,
      behaviours: [14],
      async check(lab) {
        await lab.serve(big(1));
        const slow = lab.open();
        slow.subscribe("RDS", "big");
        slow.pause();
        for (let revision = 2; revision < 7; revision += 1) await lab.publish(big(revision));
        slow.resume();
        const first = await slow.next();
        slow.ack(first);
        // A response that was in transit may be older. The next one is the newest, with none in between.
        if (shown(first) !== "RDS big@6") await slow.takes("RDS big@6");
        await slow.quiet();
      },
    },
    {
      does: "continues to serve a client while others connect and disconnect",
      learned: "One slow or dead client must not block the others or the writes of the operator.",
      source,
      variants: both,
      behaviours: [14],
      async check(lab) {
        await lab.serve(resource("EDS", "foo"));
        const stays = lab.open();
        stays.subscribe("EDS", "foo");
        await stays.takes("EDS foo@1");
        for (let revision = 2; revision < 7; revision += 1) {
          const goes = lab.open();
          goes.subscribe("EDS", "foo");
          await goes.takes(`EDS foo@${revision - 1}`);
          goes.close();
          await lab.publish(resource("EDS", "foo", revision));
          await stays.takes(`EDS foo@${revision}`);
        }
        await stays.quiet();
      },
    },
  ],
};

/** A resource that is larger than any flow-control window. */
function big(revision: number): TestResource {
  const { type, name, json } = resource("RDS", "big", revision);
  return { type, name, json: { ...json, internalOnlyHeaders: [`x-${"y".repeat(256 * 1024)}`] } };
}
