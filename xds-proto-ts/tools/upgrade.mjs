// Upgrades this package, and the packages that use it, to the API of another Envoy: npm run upgrade -w xds-proto-ts --
// 1.41.0
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const version = process.argv[2] ?? "";
if (!/^\d+\.\d+\.\d+$/.test(version)) {
  console.error("Usage: npm run upgrade -w xds-proto-ts -- 1.41.0   (the version of Envoy)");
  process.exit(2);
}

const here = fileURLToPath(new URL("..", import.meta.url));
const workspace = fileURLToPath(new URL("../..", import.meta.url));

run("go", ["get", `github.com/envoyproxy/go-control-plane/envoy@v${version}`], `${here}tools/descriptors`);
run("npm", ["run", "descriptors"], here);
run("npm", ["run", "generate"], here);
run("npm", ["pkg", "set", `version=${version}`], here);
for (const folder of dependents()) {
  run("npm", ["pkg", "set", `dependencies.xds-proto-ts=${version}`], `${workspace}${folder}`);
}
run("npm", ["install", "--package-lock-only", "--ignore-scripts"], workspace);

function dependents() {
  const { workspaces } = readJson(`${workspace}package.json`);
  return workspaces.filter(
    (folder) => "xds-proto-ts" in (readJson(`${workspace}${folder}/package.json`).dependencies ?? {}),
  );
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function run(command, args, cwd) {
  execFileSync(command, args, { cwd, stdio: "inherit" });
}
