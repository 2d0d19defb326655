import assert from "node:assert/strict";
import { resource, resources } from "../resources.ts";
import { itemsOf } from "../response.ts";
import { deltaOnly, type Section } from "../suite.ts";

const needs = ["VHDS"] as const;

/**
 * The domain of the virtual host "shop/cart" is "cart.example". A client that knows only the domain subscribes to
 * "shop/cart.example".
 */
export const aliases: Section = {
  title: "Resource names and aliases: virtual hosts on demand",
  rules: [
    {
      does: "finds a resource by its alias, and sends its name and its aliases",
      says: "The client can send either an alias or the name of a resource in the resource_names_subscribe field of a DeltaDiscoveryRequest in order to subscribe to a resource.",
      variants: deltaOnly,
      needs,
      async check(lab) {
        await lab.serve(...resources("VHDS", { "shop/cart": 1, "shop/other": 1 }));
        const stream = lab.open();
        stream.subscribe("VHDS", "shop/cart.example");
        const response = await stream.takes("VHDS shop/cart@1");
        assert.ok(response.resources[0]?.aliases.includes("shop/cart.example"));
        await stream.quiet();
      },
    },
    {
      does: "finds a resource by its name as well",
      says: "Both the names and aliases of resources should be checked in order to determine whether the entity in question has been subscribed to.",
      variants: deltaOnly,
      needs,
      async check(lab) {
        await lab.serve(...resources("VHDS", { "shop/cart": 1, "shop/other": 1 }));
        const stream = lab.open();
        stream.subscribe("VHDS", "shop/cart");
        await stream.takes("VHDS shop/cart@1");
        await stream.quiet();
      },
    },
    {
      does: "sends changes to a client that subscribed by an alias, and reports the deletion by name",
      says: "The resource name will be returned in the name field in the resource of a DeltaDiscoveryResponse.",
      variants: deltaOnly,
      needs,
      async check(lab) {
        await lab.serve(...resources("VHDS", { "shop/cart": 1, "shop/other": 1 }));
        const stream = lab.open();
        stream.subscribe("VHDS", "shop/cart.example");
        await stream.takes("VHDS shop/cart@1");
        await lab.publish(...resources("VHDS", { "shop/cart": 2, "shop/other": 2 }));
        await stream.takes("VHDS shop/cart@2");
        await lab.remove({ type: "VHDS", name: "shop/cart" });
        await stream.gathers("VHDS", "-shop/cart");
        await lab.publish(resource("VHDS", "shop/cart", 3));
        await stream.gathers("VHDS", "shop/cart@3");
      },
    },
    {
      does: "lets a client unsubscribe by an alias",
      says: "As with resource_names_subscribe, these may be resource names or aliases.",
      variants: deltaOnly,
      needs,
      async check(lab) {
        await lab.serve(...resources("VHDS", { "shop/cart": 1, "shop/other": 1 }));
        const stream = lab.open();
        stream.subscribe("VHDS", "shop/cart.example", "shop/other.example");
        await stream.gathers("VHDS", "shop/cart@1", "shop/other@1");
        stream.unsubscribe("VHDS", "shop/cart.example");
        await stream.drained();
        await lab.publish(...resources("VHDS", { "shop/cart": 2, "shop/other": 2 }));
        assert.ok(
          !(await stream.gathers("VHDS", "shop/other@2")).has("shop/cart@2"),
          "the client unsubscribed from shop/cart",
        );
      },
    },
    {
      does: "reports at once that no resource has an alias, and sends the resource when it exists",
      says: "This allows the client to quickly determine when a resource does not exist without waiting for a timeout, as would be done in the SotW protocol variants.",
      variants: deltaOnly,
      needs,
      behaviours: [6],
      async check(lab) {
        await lab.serve(resource("VHDS", "shop/cart"));
        const stream = lab.open();
        stream.subscribe("VHDS", "shop/later.example");
        const response = await stream.next();
        // The alias is either a removed name, or a resource without content (see below). Envoy rejects a response with both.
        assert.ok(itemsOf(response).some((item) => /^-?shop\/later\.example$/.test(item)));
        stream.ack(response);
        await lab.publish(resource("VHDS", "shop/later"));
        await stream.gathers("VHDS", "shop/later@1");
      },
    },
    {
      does: "reports that no resource has an alias by a resource with the alias and no content",
      learned:
        "Envoy holds a request until it receives a resource with the alias. A resource without content means that there is none.",
      source: "seen with Envoy 1.40",
      strength: "may",
      variants: deltaOnly,
      needs,
      behaviours: [6],
      async check(lab) {
        await lab.serve(resource("VHDS", "shop/cart"));
        const stream = lab.open();
        stream.subscribe("VHDS", "shop/ghost.example");
        const response = await stream.next();
        assert.ok(itemsOf(response).includes("shop/ghost.example"));
        assert.deepEqual(response.resources[0]?.aliases, ["shop/ghost.example"]);
      },
    },
    {
      does: "treats an empty first request for virtual hosts as no subscription, not as a wildcard",
      learned: "Envoy starts with such a request, and subscribes to each host when a request for it arrives.",
      source: "seen with Envoy 1.40",
      strength: "may",
      variants: deltaOnly,
      needs,
      async check(lab) {
        await lab.serve(...resources("VHDS", { "shop/cart": 1, "shop/other": 1 }));
        const stream = lab.open();
        stream.subscribe("VHDS");
        assert.deepEqual([...(await stream.drained())], []);
        stream.subscribe("VHDS", "shop/cart.example");
        await stream.takes("VHDS shop/cart@1");
      },
    },
    {
      does: "sends virtual hosts after their route configuration",
      says: "VHDS updates (if any) related to the newly added RouteConfigurations must arrive after RDS updates.",
      variants: deltaOnly,
      needs,
      behaviours: [4],
      async check(lab) {
        await lab.serve(resource("RDS", "shop"), resource("VHDS", "shop/cart"));
        const stream = lab.open();
        stream.subscribe("RDS", "shop");
        await stream.takes("RDS shop@1");
        stream.subscribe("VHDS", "shop/cart");
        await stream.takes("VHDS shop/cart@1");
        await lab.publish(resource("VHDS", "shop/cart", 2), resource("RDS", "shop", 2));
        await stream.takes("RDS shop@2");
        await stream.takes("VHDS shop/cart@2");
      },
    },
  ],
};
