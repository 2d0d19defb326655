import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { resource, typesIn } from "../resources.ts";
import { shown } from "../response.ts";
import { both, type Section } from "../suite.ts";

export const variants: Section = {
  title: "Variants of the xDS transport protocol, and ADS",
  rules: [
    {
      does: "serves each type through its own service",
      says: "For the non-aggregated protocol variants, there is a separate RPC service for each resource type.",
      variants: both,
      needs: ["services of one type"],
      async check(lab) {
        const served = typesIn(lab.variant).filter((type) => !lab.target.lacks.has(type));
        await lab.serve(...served.map((type) => resource(type, "shop/own", 7)));
        for (const type of served) {
          const stream = lab.open({ only: type });
          stream.subscribe(type, "shop/own");
          await stream.takes(`${type} shop/own@7`);
        }
      },
    },
    {
      does: "uses the type of the service when the request names no type",
      says: "This is implicit in requests made via singleton xDS APIs such as CDS, LDS, etc. but is required for ADS.",
      source: "discovery.proto, DiscoveryRequest.type_url",
      variants: both,
      needs: ["services of one type"],
      async check(lab) {
        await lab.serve(resource("CDS", "a"));
        const stream = lab.open({ only: "CDS" });
        if (lab.variant === "sotw") stream.sotw("CDS", { typeUrl: "" });
        else stream.delta("CDS", { typeUrl: "" });
        assert.equal(shown(await stream.next()), "CDS a@1");
      },
    },
    {
      does: "ends an aggregated stream with INVALID_ARGUMENT when a request names no type",
      says: "This is implicit in requests made via singleton xDS APIs such as CDS, LDS, etc. but is required for ADS.",
      source: "discovery.proto, DiscoveryRequest.type_url",
      variants: both,
      async check(lab) {
        const stream = lab.open();
        if (lab.variant === "sotw") stream.sotw("CDS", { typeUrl: "" });
        else stream.delta("CDS", { typeUrl: "" });
        assert.equal((await stream.ended()).code, status.INVALID_ARGUMENT);
      },
    },
    {
      does: "ends only the stream that requests an unknown type, with INVALID_ARGUMENT",
      says: "INVALID_ARGUMENT indicates arguments that are problematic regardless of the state of the system.",
      source: "gRPC status codes",
      strength: "may",
      variants: both,
      async check(lab) {
        await lab.serve(resource("CDS", "a"));
        const other = lab.open();
        other.subscribe("CDS");
        await other.takes("CDS a@1");
        const stream = lab.open();
        const typeUrl = "type.googleapis.com/example.NoSuchResource";
        if (lab.variant === "sotw") stream.sotw("CDS", { typeUrl, resourceNames: ["a"] });
        else stream.delta("CDS", { typeUrl, resourceNamesSubscribe: ["a"] });
        const { code, details } = await stream.ended();
        assert.equal(code, status.INVALID_ARGUMENT);
        assert.match(details, /example\.NoSuchResource/);
        await other.quiet();
      },
    },
    {
      does: "serves several types on one aggregated stream, each with its own subscription and nonce",
      says: "each resource type is treated as a separate logical stream within the aggregated stream.",
      variants: both,
      behaviours: [11],
      async check(lab) {
        await lab.serve(resource("EDS", "foo"), resource("RDS", "bar"), resource("RDS", "foo"));
        const stream = lab.open();
        stream.subscribe("EDS", "foo");
        const endpoints = await stream.next();
        assert.equal(shown(endpoints), "EDS foo@1");
        // The missing ACK of one type does not delay another type, and a nonce is valid for its type only.
        stream.subscribe("RDS", "bar");
        const routes = await stream.takes("RDS bar@1");
        assert.notEqual(routes.nonce, "");
        await lab.publish(resource("RDS", "bar", 2), resource("RDS", "foo", 2));
        await stream.takes("RDS bar@2");
        stream.ack(endpoints);
        await lab.publish(resource("EDS", "foo", 2));
        await stream.takes("EDS foo@2");
        await stream.quiet();
      },
    },
    {
      does: "names the type in each response",
      says: "Identifies the xDS API when muxing over ADS.",
      source: "discovery.proto, DiscoveryResponse.type_url",
      variants: both,
      async check(lab) {
        const served = typesIn(lab.variant).filter((type) => !lab.target.lacks.has(type));
        await lab.serve(...served.map((type) => resource(type, "shop/own", 7)));
        const stream = lab.open();
        for (const type of served) {
          stream.subscribe(type, "shop/own");
          await stream.takes(`${type} shop/own@7`);
        }
      },
    },
  ],
};
