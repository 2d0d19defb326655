import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { kinds } from "../model/kinds.ts";
import { cart, mesh, type TestAdmin, type TestRequest, testAdmin } from "./testing.ts";

interface Attack extends TestRequest {
  readonly name: string;
  readonly method?: string;
  readonly url?: string;
  readonly status: number;
  readonly code: string;
}

const apply = "/api/v1/apply";
const one = "/api/v1/clusters/cart";
const yaml = "application/yaml";
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
const spec = cart.spec;

const unreadable: readonly Attack[] = [
  { name: "no body", status: 400, code: "BODY_MISSING" },
  { name: "an empty body", raw: "", status: 400, code: "BODY_MISSING" },
  { name: "blanks", raw: "  \n ", status: 400, code: "BODY_MISSING" },
  { name: "cut JSON", raw: '{"kind": "Clu', status: 400, code: "BODY_NOT_JSON" },
  { name: "a lone bracket", raw: "]", status: 400, code: "BODY_NOT_JSON" },
  { name: "NaN", raw: "[NaN]", status: 400, code: "BODY_NOT_JSON" },
  { name: "not UTF-8", raw: new Uint8Array([0x22, 0xff, 0xfe, 0x22]), status: 400, code: "BODY_NOT_UTF8" },
  { name: "NUL bytes", raw: "\0\0\0\0", status: 400, code: "BODY_NOT_JSON" },
  { name: "a key twice", raw: '{"kind":"Cluster","kind":"Route"}', status: 400, code: "BODY_DUPLICATE_KEY" },
  {
    name: "a key twice, once escaped",
    raw: '{"kind":"Cluster","k\\u0069nd":"Route"}',
    status: 400,
    code: "BODY_DUPLICATE_KEY",
  },
  { name: "__proto__", raw: '{"kind":"Cluster","__proto__":{"x":1}}', status: 400, code: "BODY_FORBIDDEN_KEY" },
  { name: "__proto__ deep inside", raw: '[{"spec":{"a":[{"__proto__":1}]}}]', status: 400, code: "BODY_FORBIDDEN_KEY" },
  { name: "101 arrays", raw: nested("[", "]", 101), status: 400, code: "BODY_TOO_DEEP" },
  { name: "100,000 arrays", raw: nested("[", "]", 100_000), status: 400, code: "BODY_TOO_DEEP" },
  {
    name: "50,000 objects",
    raw: `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`,
    status: 400,
    code: "BODY_TOO_DEEP",
  },
  { name: "too many bytes", raw: " ".repeat(600_000), status: 413, code: "BODY_TOO_LARGE" },
  {
    name: "a form",
    raw: "kind=Cluster",
    type: "application/x-www-form-urlencoded",
    status: 415,
    code: "BODY_UNSUPPORTED_TYPE",
  },
  { name: "plain text", raw: "[]", type: "text/plain", status: 415, code: "BODY_UNSUPPORTED_TYPE" },
  { name: "a broken content type", raw: "[]", type: ";;;", status: 415, code: "BODY_UNSUPPORTED_TYPE" },
  {
    name: "a module where documents belong",
    raw: "\0asm",
    type: "application/wasm",
    status: 415,
    code: "BODY_UNSUPPORTED_TYPE",
  },
  { name: "broken YAML", raw: "a: [1, 2", type: yaml, status: 400, code: "YAML_INVALID" },
  { name: "a tab in YAML", raw: "a:\n\t- b", type: yaml, status: 400, code: "YAML_INVALID" },
  {
    name: "a YAML key twice",
    raw: "kind: Cluster\nkind: Route\n",
    type: yaml,
    status: 400,
    code: "BODY_DUPLICATE_KEY",
  },
  {
    name: "a YAML __proto__",
    raw: "kind: Cluster\n__proto__: {x: 1}\n",
    type: yaml,
    status: 400,
    code: "BODY_FORBIDDEN_KEY",
  },
  { name: "nested YAML", raw: nested("[", "]", 5_000), type: yaml, status: 400, code: "BODY_TOO_DEEP" },
  { name: "nested YAML blocks", raw: `${"- ".repeat(2_000)}a`, type: yaml, status: 400, code: "BODY_TOO_DEEP" },
  { name: "an empty YAML document", raw: "---\n...\n", type: yaml, status: 400, code: "BODY_MISSING" },
  {
    name: "aliases that multiply",
    raw: `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`).join("\n")}`,
    type: yaml,
    status: 400,
    code: "YAML_INVALID",
  },
  { name: "an unknown alias", raw: "a: *nowhere", type: yaml, status: 400, code: "YAML_INVALID" },
];

const misshapen: readonly Attack[] = [
  ...[null, 1, "text", true].map((body) => ({ name: `JSON ${body}`, body, status: 422, code: "DOCUMENT_INVALID" })),
  { name: "a list of nulls", body: [null], status: 422, code: "DOCUMENT_INVALID" },
  { name: "a list in a list", body: [[cart]], status: 422, code: "DOCUMENT_INVALID" },
  { name: "set that is not a list", body: { set: cart }, status: 422, code: "CHANGE_INVALID" },
  { name: "delete that is not a list", body: { delete: "cart" }, status: 422, code: "CHANGE_INVALID" },
  { name: "deleting a number", body: { delete: [7] }, status: 422, code: "CHANGE_INVALID" },
  {
    name: "deleting an unknown kind",
    body: { delete: [{ kind: "Clutser", name: "x" }] },
    status: 422,
    code: "CHANGE_INVALID",
  },
  {
    name: "deleting kind constructor",
    body: { delete: [{ kind: "constructor", name: "x" }] },
    status: 422,
    code: "CHANGE_INVALID",
  },
  { name: "deleting without a name", body: { delete: [{ kind: "Cluster" }] }, status: 422, code: "CHANGE_INVALID" },
  {
    name: "deleting with an unknown field",
    body: { delete: [{ kind: "Cluster", name: "x", force: 1 }] },
    status: 422,
    code: "CHANGE_INVALID",
  },
  { name: "an unknown field", body: { sets: [] }, status: 422, code: "CHANGE_INVALID" },
  {
    name: "a document both set and deleted",
    body: { set: [cart], delete: [cart].map(({ kind, name }) => ({ kind, name })) },
    status: 422,
    code: "CHANGE_INVALID",
  },
  { name: "one document twice", body: [cart, cart], status: 422, code: "DOCUMENT_DUPLICATE" },
  { name: "a list to a PUT of one", method: "PUT", url: one, body: [cart], status: 422, code: "DOCUMENT_INVALID" },
  { name: "null to a PUT of one", method: "PUT", url: one, body: null, status: 422, code: "DOCUMENT_INVALID" },
  { name: "no spec", method: "PUT", url: one, body: {}, status: 422, code: "FIELD_MISSING" },
  {
    name: "another document",
    method: "PUT",
    url: one,
    body: { ...cart, name: "x" },
    status: 422,
    code: "DOCUMENT_MISMATCH",
  },
  { name: "another kind", method: "PUT", url: one, body: mesh[2], status: 422, code: "DOCUMENT_MISMATCH" },
  {
    name: "a mesh that is a text",
    method: "PUT",
    url: "/api/v1/mesh",
    body: "x",
    status: 422,
    code: "DOCUMENT_INVALID",
  },
  { name: "no module", method: "POST", url: "/api/v1/filters/f/versions", status: 415, code: "BODY_UNSUPPORTED_TYPE" },
  {
    name: "JSON as module",
    method: "POST",
    url: "/api/v1/filters/f/versions",
    body: {},
    status: 415,
    code: "BODY_UNSUPPORTED_TYPE",
  },
  {
    name: "garbage as module",
    method: "POST",
    url: "/api/v1/filters/f/versions",
    raw: "not wasm",
    type: "application/wasm",
    status: 422,
    code: "FILTER_MODULE_MALFORMED",
  },
  {
    name: "a filter named with blanks",
    method: "POST",
    url: "/api/v1/filters/a%20b/versions",
    raw: "x",
    type: "application/wasm",
    status: 422,
    code: "FILTER_NAME_INVALID",
  },
];

const badQueriesAndHeaders: readonly Attack[] = [
  { name: "an unknown parameter", url: `${apply}?dryrun=true`, body: [], status: 400, code: "QUERY_INVALID" },
  { name: "dryRun=1", url: `${apply}?dryRun=1`, body: [], status: 400, code: "QUERY_INVALID" },
  { name: "dryRun twice", url: `${apply}?dryRun=true&dryRun=false`, body: [], status: 400, code: "QUERY_INVALID" },
  { name: "a wait without unit", url: `${apply}?wait=5`, body: [], status: 400, code: "QUERY_INVALID" },
  { name: "a message of two lines", url: `${apply}?message=a%0Ab`, body: [], status: 400, code: "QUERY_INVALID" },
  {
    name: "a long message",
    url: `${apply}?message=${"a".repeat(2_000)}`,
    body: [],
    status: 400,
    code: "QUERY_INVALID",
  },
  { name: "__proto__ in the query", url: `${apply}?__proto__[x]=1`, body: [], status: 400, code: "QUERY_INVALID" },
  {
    name: "a long author",
    headers: { "x-chancery-author": "a".repeat(200) },
    body: [],
    status: 400,
    code: "HEADER_INVALID",
  },
  {
    name: "an unprintable author",
    headers: { "x-chancery-author": "ä" },
    body: [],
    status: 400,
    code: "HEADER_INVALID",
  },
  { name: "If-Match without quotes", headers: { "if-match": "1" }, body: [], status: 400, code: "HEADER_INVALID" },
  { name: "a weak If-Match", headers: { "if-match": 'W/"1"' }, body: [], status: 400, code: "HEADER_INVALID" },
  { name: "a limit of 0", method: "GET", url: "/api/v1/revisions?limit=0", status: 400, code: "QUERY_INVALID" },
  { name: "a negative before", method: "GET", url: "/api/v1/revisions?before=-1", status: 400, code: "QUERY_INVALID" },
  {
    name: "a diff without revisions",
    method: "GET",
    url: "/api/v1/revisions/diff",
    status: 400,
    code: "QUERY_INVALID",
  },
  {
    name: "a diff of the future",
    method: "GET",
    url: "/api/v1/revisions/diff?from=999",
    status: 404,
    code: "REVISION_UNKNOWN",
  },
  { name: "revision 1e3", method: "GET", url: "/api/v1/revisions/1e3", status: 404, code: "REVISION_UNKNOWN" },
  {
    name: "restoring the future",
    url: "/api/v1/revisions/999999999999999/restore",
    status: 404,
    code: "REVISION_UNKNOWN",
  },
  { name: "an unknown state", method: "GET", url: "/api/v1/proxies?state=fine", status: 400, code: "QUERY_INVALID" },
];

const badPaths: readonly Attack[] = [
  { name: "an unknown URL", method: "GET", url: "/api/v2/clusters", status: 404, code: "URL_UNKNOWN" },
  {
    name: "the kind `constructor`, which every object inherits",
    method: "GET",
    url: "/api/v1/constructor/x",
    status: 404,
    code: "URL_UNKNOWN",
  },
  {
    name: "a document named __proto__",
    method: "GET",
    url: "/api/v1/clusters/__proto__",
    status: 404,
    code: "DOCUMENT_UNKNOWN",
  },
  { name: "a broken escape", method: "GET", url: "/api/v1/clusters/%zz", status: 400, code: "REQUEST_MALFORMED" },
  {
    name: "an overlong name",
    method: "PUT",
    url: `/api/v1/clusters/${"a".repeat(300)}`,
    body: { spec },
    status: 422,
    code: "FIELD_VALUE",
  },
  {
    name: "a very long name",
    method: "PUT",
    url: `/api/v1/clusters/${"a".repeat(3_000)}`,
    body: { spec },
    status: 414,
    code: "REQUEST_MALFORMED",
  },
  {
    name: "a name of control characters",
    method: "PUT",
    url: "/api/v1/clusters/a%00%0Ab",
    body: { spec },
    status: 422,
    code: "FIELD_VALUE",
  },
  {
    name: "a name that is a path upwards",
    method: "GET",
    url: "/api/v1/clusters/..%2f..%2fetc",
    status: 404,
    code: "DOCUMENT_UNKNOWN",
  },
  {
    name: "deleting an unknown document",
    method: "DELETE",
    url: "/api/v1/clusters/none",
    status: 404,
    code: "DOCUMENT_UNKNOWN",
  },
  { name: "PATCH", method: "PATCH", url: one, body: {}, status: 405, code: "METHOD_NOT_ALLOWED" },
  { name: "POST to a document", method: "POST", url: one, body: {}, status: 405, code: "METHOD_NOT_ALLOWED" },
  { name: "an unknown proxy", method: "GET", url: "/api/v1/proxies/%F0%9F%92%A9", status: 404, code: "PROXY_UNKNOWN" },
];

let admin: TestAdmin;
before(async () => {
  admin = await testAdmin({ maxBodyBytes: 500_000 });
  await admin.send("POST", apply, { body: mesh });
});
after(async () => await admin[Symbol.asyncDispose]());

for (const attack of [...unreadable, ...misshapen, ...badQueriesAndHeaders, ...badPaths]) {
  const { name, method = "POST", url = apply, status, code } = attack;
  test(`${method} ${url.slice(0, 50)} with ${name} is rejected with ${code} and changes nothing`, async () => {
    const answer = await admin.send(method, url, attack);
    assert.equal(answer.status, status, answer.text.slice(0, 500));
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.equal(answer.body.status, status);
    assert.equal(answer.body.problems[0].code, code, answer.text.slice(0, 500));
    assert.ok(answer.text.length < 20_000, `the answer is ${answer.text.length} bytes`);
    assert.equal(admin.store.get().revision, 1);
  });
}

test("rejects a spec of any kind that is a list, a number, a text or null, or names a member of a prototype", async () => {
  for (const { plural } of kinds) {
    for (const bad of [[], 7, "x", null, { constructor: {} }, { toString: 1 }, { hasOwnProperty: true }]) {
      const answer = await admin.send("PUT", `/api/v1/${plural}/x`, { body: { spec: bad } });
      assert.equal(answer.status, 422, `${plural} ${JSON.stringify(bad)}: ${answer.text}`);
    }
  }
});

test("rejects input that is not HTTP, and goes on serving", async () => {
  for (const garbage of ["\x16\x03\x01\x02\0", "GET\r\n\r\n", `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}\r\n\r\n`]) {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect(admin.port, "127.0.0.1");
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.on("error", () => resolve(text));
    socket.on("close", () => resolve(text));
    socket.write(garbage);
    const answer = await promise;
    if (answer !== "") assert.match(answer, /^HTTP\/1.1 4\d\d .*application\/problem\+json/s);
    assert.equal((await admin.send("GET", "/healthz")).status, 200);
  }
});
