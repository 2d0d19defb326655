import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { certificateNames, checkIdentity, isOfNode } from "./node-identity.ts";

const cases: readonly (readonly [names: string, nodeId: string, isOf: boolean])[] = [
  ["DNS:edge-1", "edge-1", true],
  ["DNS:edge-1", "edge-2", false],
  ["DNS:edge-1", "edge-1.", false],
  ["DNS:edge-1.mesh, DNS:edge-1", "edge-1", true],
  ["DNS:*.mesh", "edge-1.mesh", false],
  ["IP Address:10.0.0.1", "10.0.0.1", false],
  ["URI:urn:node:edge-1", "urn:node:edge-1", true],
  ["URI:spiffe://mesh/edge-1", "edge-1", true],
  ["URI:spiffe://mesh/ns/shop/sa/edge-1", "edge-1", true],
  ["URI:spiffe://mesh/ns/shop/sa/edge-1", "spiffe://mesh/ns/shop/sa/edge-1", true],
  ["URI:spiffe://mesh/ns/shop/sa/edge-1", "shop", false],
  ["URI:spiffe://edge-1", "edge-1", false],
  ["URI:spiffe://mesh/edge-1/", "edge-1", false],
  ["URI:https://mesh/edge-1", "edge-1", false],
  // One name that looks like two.
  ['DNS:"evil, DNS:edge-1"', "edge-1", false],
  ['URI:"spiffe://mesh/a, DNS:edge-1"', "edge-1", false],
  ["", "", false],
];

test("a certificate names a node by an equal DNS name or URI, or by the last segment of a SPIFFE id's path, and by nothing else", () => {
  for (const [subjectaltname, nodeId, isOf] of cases)
    assert.equal(isOfNode(certificateNames({ subjectaltname }), nodeId), isOf, `${subjectaltname} and ${nodeId}`);
});

test("the error of a rejected client names its node id and its certificate's names", () => {
  const certificate = { subjectaltname: "DNS:edge-1, URI:spiffe://mesh/edge-1" } as PeerCertificate;
  checkIdentity("edge-1", certificate);
  assert.throws(() => checkIdentity("edge-2", certificate), {
    code: "PERMISSION_DENIED",
    message: /"edge-2".*DNS "edge-1", URI "spiffe:\/\/mesh\/edge-1"/,
  });
  assert.throws(() => checkIdentity("edge-2", {} as PeerCertificate), { message: /names nobody/ });
});

test("without TLS there is no certificate to check", () => {
  checkIdentity("edge-1", undefined);
});
