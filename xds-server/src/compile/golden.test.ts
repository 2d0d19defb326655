import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { decode, toJson } from "xds-proto-ts";
import { stringify } from "yaml";
import type { Artifacts } from "../filter-registry/artifact.ts";
import { Mesh } from "../model/mesh.ts";
import type { Problem } from "../model/problem.ts";
import { parseYaml } from "../reading/parse.ts";
import { schemaOf } from "../resources/encode.ts";
import { resourceTypes } from "../resources/resource-types.ts";
import { resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { memoCompile } from "./memo.ts";

// Each folder is a case. UPDATE_GOLDEN=1 rewrites every out.yaml. Read the diff before you commit it.
const testdata = new URL("../../src/compile/testdata/", import.meta.url);
const { UPDATE_GOLDEN } = process.env;

const wasm = readFileSync(new URL("module.wasm", testdata));
const sha256 = createHash("sha256").update(wasm).digest("hex");
const facts = {
  abi: "0.2.1",
  hostCalls: ["proxy_get_header_map_value", "proxy_log"],
  callbacks: ["proxy_on_request_headers"],
};
const artifact = { sha256, filter: "policy", wasm, facts, uploadedAt: 0 };
/** Another module, with a manifest. */
const holdsHeaders = {
  ...artifact,
  sha256: "a".repeat(64),
  facts: { ...facts, manifest: { name: "guard", holdsHeaders: true } },
};
const artifacts: Artifacts = new Map([artifact, holdsHeaders].map((each) => [each.sha256, each]));

for (const entry of readdirSync(testdata, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  test(`compiles ${entry.name} to its golden output`, () => {
    const out = new URL(`${entry.name}/out.yaml`, testdata);
    const actual = yaml(output(readFileSync(new URL(`${entry.name}/in.yaml`, testdata), "utf8")));
    if (UPDATE_GOLDEN === "1") writeFileSync(out, actual);
    assert.equal(actual, readFileSync(out, "utf8"));
  });
}

function output(text: string): object {
  const { documents, problems } = parseYaml(text, { source: "in.yaml" });
  if (problems.length > 0) return { problems: shownProblems(problems) };
  const compiled = memoCompile()({ mesh: Mesh.of(documents), artifacts });
  if (compiled.problems.length > 0) return { problems: shownProblems(compiled.problems) };
  return Object.fromEntries([...compiled.snapshots].map(([group, snapshot]) => [group, shownSnapshot(snapshot)]));
}

/** The resources of each type as JSON. */
function shownSnapshot(snapshot: Snapshot): object {
  const shown = resourceTypes.map((type) => {
    const resources = [...resourcesOf(snapshot, type.typeUrl).values()];
    return [type.shortName, resources.map(({ body }) => toJson(schemaOf(type), decode(schemaOf(type), body)))] as const;
  });
  return Object.fromEntries(shown.filter(([, resources]) => resources.length > 0));
}

/** Problems sorted by document, so that the order of the checks does not matter. */
const shownProblems = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));

const orderOf = ({ kind, name, path, code }: Problem): string => JSON.stringify([kind, name, path, code]);

const yaml = (value: object): string =>
  stringify(value, {
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
