import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { encode, messageSchema, readJson, toJson } from "xds-proto-ts";
import { withoutSecrets } from "./without-secrets.ts";

/** The given message without its secrets. Both are proto-JSON. */
function shown(typeName: string, json: JsonValue): unknown {
  const schema = messageSchema(typeName);
  assert.ok(schema);
  const reading = readJson(schema, json);
  assert.ok(reading.ok);
  return toJson(schema, withoutSecrets(schema, encode(schema, reading.message)));
}

const tls = "envoy.extensions.transport_sockets.tls.v3";

test("redacts private keys, passwords and shared secrets, but not certificates, names and file names", () => {
  const certificate = {
    certificate_chain: { inline_string: "public" },
    private_key: { inline_bytes: "c2VjcmV0" },
    password: { filename: "/run/password" },
  };
  assert.deepEqual(shown(`${tls}.Secret`, { name: "edge", tls_certificate: certificate }), {
    name: "edge",
    tls_certificate: {
      certificate_chain: { inline_string: "public" },
      private_key: { inline_string: "[redacted]" },
      password: { filename: "/run/password" },
    },
  });
  const keys = [{ inline_string: "one" }, { inline_string: "two" }];
  assert.deepEqual(shown(`${tls}.Secret`, { name: "tickets", session_ticket_keys: { keys } }), {
    name: "tickets",
    session_ticket_keys: { keys: [{ inline_string: "[redacted]" }, { inline_string: "[redacted]" }] },
  });
  const generic = { secret: { environment_variable: "TOKEN" }, secrets: { a: { inline_string: "secret" } } };
  assert.deepEqual(shown(`${tls}.Secret`, { name: "token", generic_secret: generic }), {
    name: "token",
    generic_secret: { secret: { environment_variable: "TOKEN" }, secrets: { a: { inline_string: "[redacted]" } } },
  });
});

test("redacts secrets in a packed message, and the whole configuration of a private key provider", () => {
  const provider = {
    provider_name: "hsm",
    typed_config: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "pin 1234" },
  };
  const cluster = {
    name: "cart",
    transport_socket: {
      name: "tls",
      typed_config: {
        "@type": `type.googleapis.com/${tls}.UpstreamTlsContext`,
        sni: "cart",
        common_tls_context: { tls_certificates: [{ private_key_provider: provider }] },
      },
    },
  };
  const text = JSON.stringify(shown("envoy.config.cluster.v3.Cluster", cluster));
  assert.doesNotMatch(text, /1234/);
  assert.match(text, /"sni":"cart"/);
});

test("redacts values that are named like a secret in a Struct, in a map or in a filter's JSON", () => {
  const metadata = { filter_metadata: { app: { user: "u", password: "p", nested: [{ clientSecret: { a: 1 } }] } } };
  assert.deepEqual(shown("envoy.config.core.v3.Metadata", metadata), {
    filter_metadata: { app: { user: "u", password: "[redacted]", nested: [{ clientSecret: "[redacted]" }] } },
  });
  const plugin = (value: string) => ({
    configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
  });
  const config = { rules: [{ header: "x", access_key: "k" }], token: { value: "t" } };
  assert.deepEqual(
    shown("envoy.extensions.wasm.v3.PluginConfig", plugin(JSON.stringify(config))),
    plugin('{"rules":[{"header":"x","access_key":"[redacted]"}],"token":"[redacted]"}'),
  );
  assert.deepEqual(shown("envoy.extensions.wasm.v3.PluginConfig", plugin("not JSON")), plugin("not JSON"));
  const check = { context_extensions: { tenant: "shop" } };
  assert.deepEqual(shown("envoy.extensions.filters.http.ext_authz.v3.CheckSettings", check), {
    context_extensions: { tenant: "[redacted]" },
  });
});

test("keeps the fields beside a secret", () => {
  const credential = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "seven" };
  assert.deepEqual(
    shown(`${tls}.PrivateKeyProvider`, { provider_name: "hsm", typed_config: credential, fallback: true }),
    { provider_name: "hsm", typed_config: { ...credential, value: "[redacted]" }, fallback: true },
  );
});
