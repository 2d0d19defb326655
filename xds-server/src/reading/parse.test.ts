import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { kinds } from "../model/kinds.ts";
import type { Problem } from "../model/problem.ts";
import { parseDocuments, parseYaml } from "./parse.ts";

const route = (entry: object, hosts: unknown = ["*"]) => ({
  kind: "Route",
  name: "shop",
  spec: { hosts, routes: [{ match: {}, cluster: "cart", ...entry }] },
});
const cluster = (spec: object) => ({ kind: "Cluster", name: "cart", spec });
const listener = (spec: object) => ({ kind: "Listener", name: "edge", spec: { port: 80, ...spec } });
const one = { address: "127.0.0.1", port: 9001 };

/** Documents without a fault. */
const good: readonly object[] = [
  cluster({ endpoints: [] }),
  cluster({
    endpoints: [
      { ...one, weight: 3 },
      { address: "::1", port: 1 },
    ],
    maxRequests: 5,
  }),
  cluster({ dns: { hostname: "cart_v2.internal.", port: 80, mode: "logical" }, tls: {} }),
  cluster({ eds: {}, tls: { serverName: "cart", certFile: "/a", keyFile: "/b" }, connectTimeout: "1.5s" }),
  cluster({ eds: {}, tls: { subjectAltNames: ["spiffe://shop/cart"] }, protocol: "http2" }),
  { kind: "Endpoints", name: "cart", spec: { nodeGroup: "edge", endpoints: [one] } },
  route({ timeout: "0s", retry: { on: ["5xx"] }, rewrite: { prefix: "/", host: "cart" } }),
  route({
    cluster: undefined,
    clusters: [
      { name: "a", weight: 0 },
      { name: "b", weight: 1 },
    ],
  }),
  route({ cluster: undefined, redirect: { scheme: "https" } }, ["shop.example", "*.example.com", "shop.*", "[::1]"]),
  route({ requestHeaders: { set: { "x-client": "%DOWNSTREAM_REMOTE_ADDRESS% 100%%" }, remove: ["x-a"] } }),
  listener({ http: { routes: ["shop"] }, tls: { certFile: "a.pem", keyFile: "a.key" } }),
  listener({ tcp: { cluster: "cart" }, port: 0, address: "::" }),
  { kind: "NodeGroup", name: "edge", spec: { match: { ids: ["edge-*"], metadata: { tier: "1" } } } },
  { kind: "Filter", name: "policy", spec: { listeners: ["edge"], sha256: "a".repeat(64), config: [null, { a: 1 }] } },
  { kind: "EnvoyResource", name: "any/name", spec: { resource: { "@type": "type.googleapis.com/x.Y", z: [] } } },
];

/** Documents with one fault: its code, its path and, in some rows, a pattern of its message and hint. */
const faulty: readonly [document: unknown, code: string, path: string, says?: RegExp][] = [
  [42, "DOCUMENT_INVALID", "", /must be a mapping/],
  [{ kind: "Cluster", name: "cart" }, "FIELD_MISSING", "spec"],
  [{ name: "cart", spec: {} }, "FIELD_MISSING", "kind"],
  [{ kind: "Clutser", name: "cart", spec: {} }, "KIND_UNKNOWN", "kind", /did you mean "Cluster"\?/],
  [{ ...cluster({ eds: {} }), nmae: "x" }, "FIELD_UNKNOWN", "nmae", /did you mean "name"\?/],
  [{ ...cluster({ eds: {} }), name: "" }, "FIELD_VALUE", "name"],
  [{ ...cluster({ eds: {} }), name: "a b" }, "FIELD_VALUE", "name"],
  [{ ...cluster({ eds: {} }), name: "a".repeat(254) }, "FIELD_VALUE", "name", /at most 253/],
  [cluster({}), "FIELD_MISSING", "spec", /must have exactly one of "endpoints", "dns", "eds"/],
  [cluster({ eds: {}, endpoints: [] }), "FIELD_CONFLICT", "spec", /must have only one of "endpoints", "eds"/],
  [cluster({ eds: {}, conectTimeout: "5s" }), "FIELD_UNKNOWN", "spec.conectTimeout", /did you mean "connectTimeout"\?/],
  [cluster({ eds: {}, connectTimeout: "5" }), "FIELD_VALUE", "spec.connectTimeout", /"250ms"/],
  [cluster({ eds: {}, connectTimeout: "0s" }), "FIELD_VALUE", "spec.connectTimeout", /longer than zero/],
  [cluster({ eds: {}, connectTimeout: "25h" }), "FIELD_VALUE", "spec.connectTimeout", /24 hours/],
  [cluster({ eds: {}, connectTimeout: 5 }), "FIELD_TYPE", "spec.connectTimeout", /must be text for example "3s"$/],
  [cluster({ eds: {}, lbPolicy: "ROUND_ROBBIN" }), "FIELD_VALUE", "spec.lbPolicy", /did you mean "ROUND_ROBIN"\?/],
  [cluster({ eds: {}, maxRequests: -1 }), "FIELD_VALUE", "spec.maxRequests", /at least 1/],
  [cluster({ endpoints: [{ address: "cart", port: 1 }] }), "FIELD_VALUE", "spec.endpoints[0].address", /IP address/],
  [cluster({ endpoints: [{ address: "::1", port: 65536 }] }), "FIELD_VALUE", "spec.endpoints[0].port", /at most 65535/],
  [cluster({ endpoints: [{ address: "::1" }] }), "FIELD_MISSING", "spec.endpoints[0].port"],
  [cluster({ endpoints: [one, { ...one, weight: 2 }] }), "FIELD_DUPLICATE", "spec.endpoints[1]"],
  [cluster({ dns: { hostname: "a..b", port: 1 } }), "FIELD_VALUE", "spec.dns.hostname"],
  [cluster({ eds: {}, tls: {} }), "FIELD_MISSING", "spec.tls", /serverName/],
  [cluster({ eds: {}, tls: { serverName: "a", certFile: "/a" } }), "FIELD_CONFLICT", "spec.tls", /or neither/],
  [cluster({ eds: {}, tls: { insecureSkipVerify: true, caFile: "/a" } }), "FIELD_CONFLICT", "spec.tls"],
  [route({}, []), "FIELD_VALUE", "spec.hosts", /at least 1 entries/],
  [route({}, ["shop:80"]), "FIELD_VALUE", "spec.hosts[0]", /without a port/],
  [route({}, ["shop", "SHOP"]), "FIELD_DUPLICATE", "spec.hosts[1]"],
  [route({ cluster: undefined }), "FIELD_MISSING", "spec.routes[0]", /exactly one of "cluster", "clusters"/],
  [route({ timeout: 3 }), "FIELD_TYPE", "spec.routes[0].timeout", /must be text for example "3s"$/],
  [route({ redirect: { path: "/" } }), "FIELD_CONFLICT", "spec.routes[0]"],
  [route({ match: { path: "cart" } }), "FIELD_VALUE", "spec.routes[0].match.path", /start with "\/"/],
  [route({ match: { path: "/cart?a=b" } }), "FIELD_VALUE", "spec.routes[0].match.path", /query/],
  [route({ match: { path: "/a", prefix: "/b" } }), "FIELD_CONFLICT", "spec.routes[0].match"],
  [route({ match: { regex: "(?=a)" } }), "REGEX_INVALID", "spec.routes[0].match.regex", /no look-around/],
  [route({ match: { regex: "(a)\\1" } }), "REGEX_INVALID", "spec.routes[0].match.regex", /no back-references/],
  [route({ match: { regex: "/[a-" } }), "REGEX_INVALID", "spec.routes[0].match.regex", /missing closing/],
  [route({ match: { regex: "(a{50}){10}" } }), "REGEX_INVALID", "spec.routes[0].match.regex", /too large/],
  [route({ match: { methods: ["get"] } }), "FIELD_VALUE", "spec.routes[0].match.methods[0]"],
  [route({ match: { headers: [{ name: "x y", exact: "" }] } }), "FIELD_VALUE", "spec.routes[0].match.headers[0].name"],
  [route({ match: { headers: [{ name: "x" }] } }), "FIELD_MISSING", "spec.routes[0].match.headers[0]", /"present"/],
  [
    route({ match: { query: [{ name: "x", exact: "a", regex: "b" }] } }),
    "FIELD_CONFLICT",
    "spec.routes[0].match.query[0]",
  ],
  [route({ cluster: undefined, clusters: [{ name: "a", weight: 0 }] }), "ROUTE_ZERO_WEIGHT", "spec.routes[0].clusters"],
  [route({ cluster: undefined, redirect: {} }), "FIELD_MISSING", "spec.routes[0].redirect"],
  [
    route({ cluster: undefined, redirect: { host: "a", status: 305 } }),
    "FIELD_VALUE",
    "spec.routes[0].redirect.status",
  ],
  [
    route({ cluster: undefined, directResponse: { status: 99 } }),
    "FIELD_VALUE",
    "spec.routes[0].directResponse.status",
  ],
  [
    route({ cluster: undefined, directResponse: { status: 200 }, retry: { on: ["5xx"] } }),
    "FIELD_CONFLICT",
    "spec.routes[0].retry",
  ],
  [
    route({ cluster: undefined, directResponse: { status: 200, body: "é".repeat(2049) } }),
    "FIELD_VALUE",
    "spec.routes[0].directResponse.body",
    /4096 bytes/,
  ],
  [route({ rewrite: { prefix: "/", path: "/" } }), "FIELD_CONFLICT", "spec.routes[0].rewrite"],
  [route({ retry: { on: ["5XX"] } }), "FIELD_VALUE", "spec.routes[0].retry.on[0]", /did you mean "5xx"\?/],
  [
    route({ requestHeaders: { set: { host: "a" } } }),
    "FIELD_VALUE",
    "spec.routes[0].requestHeaders.set.host",
    /rewrite\.host/,
  ],
  [
    route({ requestHeaders: { set: { a: "100%" } } }),
    "HEADER_FORMAT_INVALID",
    "spec.routes[0].requestHeaders.set.a",
    /"%%"/,
  ],
  [
    route({ requestHeaders: { add: { a: "%REQ%" } } }),
    "HEADER_FORMAT_INVALID",
    "spec.routes[0].requestHeaders.add.a",
    /parameter/,
  ],
  [
    route({ responseHeaders: { add: { a: "%ROUTE_NAM%" } } }),
    "HEADER_FORMAT_INVALID",
    "spec.routes[0].responseHeaders.add.a",
    /did you mean "ROUTE_NAME"\?/,
  ],
  [route({ responseHeaders: { add: { a: "x\r\ny: z" } } }), "FIELD_VALUE", "spec.routes[0].responseHeaders.add.a"],
  [listener({}), "FIELD_MISSING", "spec", /"http", "tcp"/],
  [listener({ http: { routes: [] } }), "FIELD_VALUE", "spec.http.routes"],
  [listener({ http: { routes: ["a", "a"] } }), "FIELD_DUPLICATE", "spec.http.routes[1]"],
  [listener({ port: "80", tcp: { cluster: "a" } }), "FIELD_TYPE", "spec.port", /a number/],
  [listener({ tls: { certFile: "a" }, tcp: { cluster: "a" } }), "FIELD_MISSING", "spec.tls.keyFile"],
  [{ kind: "NodeGroup", name: "a", spec: { match: {} } }, "FIELD_MISSING", "spec.match"],
  [
    { kind: "NodeGroup", name: "a", spec: { match: { metadata: { "a b": 1 } } } },
    "FIELD_TYPE",
    'spec.match.metadata["a b"]',
  ],
  [{ kind: "Filter", name: "a", spec: { listeners: ["e"], sha256: "ABC" } }, "FIELD_VALUE", "spec.sha256"],
  [
    { kind: "EnvoyResource", name: "a", spec: { resource: { "@type": "Cluster" } } },
    "FIELD_VALUE",
    "spec.resource.@type",
  ],
  [{ kind: "EnvoyResource", name: "a", spec: { resource: {} } }, "FIELD_MISSING", "spec.resource.@type"],
  [
    JSON.parse('{"kind":"Cluster","name":"a","spec":{"eds":{},"__proto__":{"x":1}}}'),
    "FIELD_UNKNOWN",
    "spec.__proto__",
  ],
  [cluster({ endpoints: Number.NaN }), "FIELD_VALUE", "spec.endpoints"],
];

const text = ({ message, hint = "" }: Problem): string => `${message} ${hint}`;

test("documents without a fault are parsed unchanged", () => {
  for (const document of good) {
    const { documents, problems } = parseDocuments(document);
    assert.deepEqual(problems, [], JSON.stringify(document));
    assert.deepEqual(documents, [document]);
  }
});

for (const [document, code, path, says] of faulty) {
  test(`${code} at "${path}" for ${JSON.stringify(document).slice(0, 120)}`, () => {
    const { documents, problems } = parseDocuments(document);
    assert.deepEqual(documents, []);
    assert.deepEqual(
      problems.map((problem) => [problem.code, problem.path]),
      [[code, path]],
    );
    for (const problem of problems) assert.match(text(problem), says ?? /^Cannot read /);
  });
}

test("a problem names as much of the document as is known", () => {
  const spec = { eds: {} };
  const messages = parseDocuments([
    { kind: "Cluster", spec },
    { kind: "Clutser", spec: {} },
    { name: "cart", spec },
    { spec },
  ]).problems.map(({ message }) => message.replace(/must be one of .*/, "must be one of ..."));
  assert.deepEqual(messages, [
    "Cannot read an unnamed Cluster: name is needed",
    "Cannot read a document: name is needed",
    "Cannot read a document: kind must be one of ...",
    'Cannot read document "cart": kind is needed',
    "Cannot read a document: name is needed",
    "Cannot read a document: kind is needed",
  ]);
});

test("all faults of a document are reported, including rules between fields", () => {
  const { problems } = parseDocuments([
    cluster({ eds: {}, dns: { hostname: "", port: 0, mod: "strict" }, protocol: "http3" }),
    cluster({ endpoints: [] }),
    cluster({ endpoints: [] }),
  ]);
  assert.deepEqual(
    problems.map(({ code, path }) => `${code} ${path}`),
    [
      "FIELD_VALUE spec.dns.hostname",
      "FIELD_VALUE spec.dns.port",
      "FIELD_UNKNOWN spec.dns.mod",
      "FIELD_VALUE spec.protocol",
      "FIELD_CONFLICT spec",
      "DOCUMENT_DUPLICATE ",
    ],
  );
});

test("problems and documents from YAML have their file and line", () => {
  const yaml = [
    "kind: Cluster",
    "name: cart",
    "spec:",
    "  eds: {}",
    "---",
    "- kind: Cluster",
    "  name: pay",
    "  spec:",
    "    dns:",
    "      hostname: pay",
    "      prot: 80",
    "- kind: Cluster",
    "  name: cart",
    "  spec: { eds: {} }",
  ].join("\n");
  const { documents, problems, sources } = parseYaml(yaml, { source: "shop.yaml" });
  assert.deepEqual(
    problems.map(({ code, path, source }) => [code, path, source]),
    [
      ["FIELD_MISSING", "spec.dns.port", "shop.yaml:9"],
      ["FIELD_UNKNOWN", "spec.dns.prot", "shop.yaml:11"],
      ["DOCUMENT_DUPLICATE", "", "shop.yaml:12"],
    ],
  );
  assert.match(problems[2]?.message ?? "", /first in shop\.yaml:1$/);
  assert.deepEqual([...sources.values()], ["shop.yaml:1"]);
  assert.equal(documents.length, 1);
});

test("JSON is read as YAML, also when indented with tabs", () => {
  for (const document of good) {
    const json = JSON.stringify(document, undefined, "\t");
    const { documents, problems } = parseYaml(json);
    assert.deepEqual(problems, []);
    assert.deepEqual(documents, [JSON.parse(json)]);
  }
});

/** Texts that are not documents, each with its code and a pattern of the message. */
const hostile: readonly [text: string, code: string, says: RegExp][] = [
  ["kind: Cluster\nkind: Route", "YAML_INVALID", /the key "kind" is given twice/],
  ["{", "YAML_INVALID", /shop\.yaml as YAML/],
  ["kind: !secret Cluster", "YAML_INVALID", /tag/i],
  [
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]",
    "YAML_INVALID",
    /alias/i,
  ],
  ["a: *nobody", "YAML_INVALID", /alias/i],
  ["[".repeat(100_000), "YAML_INVALID", /nests too deep/],
  [`${'{"a":'.repeat(200)}1${"}".repeat(200)}`, "DOCUMENT_TOO_DEEP", /deeper than 96/],
  ["x".repeat(2000), "YAML_TOO_LARGE", /longer than/],
];

for (const [yaml, code, says] of hostile) {
  test(`${code} for the text ${JSON.stringify(yaml.slice(0, 60))}`, () => {
    const { documents, problems } = parseYaml(yaml, {
      source: "shop.yaml",
      maxLength: code === "YAML_TOO_LARGE" ? 1000 : 1e6,
    });
    assert.deepEqual(documents, []);
    assert.equal(problems[0]?.code, code, JSON.stringify(problems[0]));
    assert.match(problems[0]?.message ?? "", says);
    assert.ok(problems[0]?.source?.startsWith("shop.yaml:"));
  });
}

test("a very long list of problems is cut, and its last problem says so", () => {
  const { problems } = parseYaml(`[${"1,".repeat(5000)}]`);
  assert.equal(problems.length, 1001);
  assert.deepEqual(
    [problems.at(-1)?.code, problems.at(-1)?.message],
    ["PROBLEMS_CUT_SHORT", "Cannot list all problems: 4000 more were found"],
  );
});

test("a mapping of 20,000 keys is read in time linear to its length, also with a fault for each key", () => {
  const count = 20_000;
  const started = performance.now();
  const keys = Array.from({ length: count }, (_, index) => `key${index}: 1`).join("\n");
  assert.equal(parseYaml(keys, { source: "wide.yaml" }).problems.length, 1001);
  assert.equal(parseYaml(`${keys}\n${keys}`, { source: "wide.yaml" }).problems.length, 1001);
  assert.ok(performance.now() - started < 5000, "the square of the length takes over a minute");
});

test("empty YAML documents are left out", () => {
  assert.deepEqual(parseYaml("# nothing\n---\n---\n"), { documents: [], problems: [], sources: new Map() });
});

test("every kind has a JSON schema with a description and default of each field", () => {
  for (const { kind, schema } of kinds) {
    const json = z.toJSONSchema(schema);
    assert.equal(json.type, "object", kind);
    assert.ok(json.description, kind);
    for (const [name, field] of Object.entries(json.properties ?? {})) {
      assert.ok(typeof field === "object" && field.description, `${kind}.${name}`);
    }
  }
});
