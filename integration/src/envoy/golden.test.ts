import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { findEnvoy } from "@chancery/xds-server/envoy";
import { parse } from "yaml";
import { repository } from "../harness/server-process.ts";

// A real Envoy validates every golden output of the compiler. It has rules that no schema has.
const testdata = join(repository, "xds-server/src/compile/testdata");
const systemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
const certificates = join(repository, "integration/src/envoy/golden-certs/");
const run = promisify(execFile);

/** A message as JSON, with the field names of the golden files. */
interface Json {
  readonly [field: string]: unknown;
  readonly name?: unknown;
  readonly type?: unknown;
  readonly rds?: Json;
  readonly route_config_name?: unknown;
  readonly config_discovery?: Json;
  readonly typed_config?: unknown;
}
type Group = Readonly<Record<string, readonly Json[]>>;

let envoy: string;
const folder = mkdtempSync(join(tmpdir(), "chancery-golden-"));
before(async () => {
  envoy = (await findEnvoy()).path;
});
after(() => rmSync(folder, { recursive: true }));

for (const name of readdirSync(testdata)) {
  if (name.includes(".") || name.startsWith("problem-")) continue;
  test(`a real Envoy accepts the resources of ${name}`, async () => {
    const groups = parse(readFileSync(join(testdata, name, "out.yaml"), "utf8")) as Record<string, Group>;
    for (const [group, resources] of Object.entries(groups)) {
      const file = join(folder, `${name}-${group}.json`);
      const bootstrap = JSON.stringify(staticBootstrap(resources))
        .replaceAll(systemAuthorities, "/certs/ca.pem")
        .replaceAll("/certs/", certificates);
      writeFileSync(file, bootstrap);
      await assert.doesNotReject(
        run(envoy, ["--mode", "validate", "--config-path", file, "--log-level", "error"], { timeout: 30_000 }),
        `${name}, node group ${group}`,
      );
    }
  });
}

/** The same resources in a static bootstrap. Resources of EDS, RDS and ECDS replace the references to them. */
function staticBootstrap({ CDS = [], EDS = [], LDS = [], RDS = [], ECDS = [], SDS = [] }: Group): Json {
  const inline = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inline);
    if (typeof value !== "object" || value === null) return value;
    const { rds, config_discovery: discovery, ...rest } = value as Json;
    return {
      ...Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, inline(item)])),
      ...(rds && { route_config: { ...named(RDS, "name", rds.route_config_name), validate_clusters: true } }),
      ...(discovery && { typed_config: named(ECDS, "name", rest.name).typed_config }),
    };
  };
  const clusters = CDS.map((cluster) => {
    if (cluster.type !== "EDS") return cluster;
    const { eds_cluster_config: _, type: __, ...rest } = cluster;
    return { ...rest, type: "STATIC", load_assignment: named(EDS, "cluster_name", cluster.name) };
  });
  return { static_resources: { clusters, listeners: LDS.map(inline), secrets: SDS } };
}

function named(resources: readonly Json[], field: string, name: unknown): Json {
  const found = resources.find((resource) => resource[field] === name);
  assert.ok(found, `no resource is named ${name}`);
  return found;
}
