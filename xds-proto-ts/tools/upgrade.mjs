// Moves the package to the API of another Envoy: npm run upgrade -w xds-proto-ts -- 1.41.0
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const version = process.argv[2] ?? "";
if (!/^\d+\.\d+\.\d+$/.test(version)) {
  console.error("Usage: npm run upgrade -w xds-proto-ts -- 1.41.0   (the version of Envoy)");
  process.exit(2);
}

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command, args, cwd = root) => execFileSync(command, args, { cwd, stdio: "inherit" });
const go = `${root}tools/descriptors`;
run("go", ["get", `github.com/envoyproxy/go-control-plane/envoy@v${version}`], go);
run("go", ["mod", "tidy"], go);
run("npm", ["run", "descriptors"]);
run("npm", ["run", "generate"]);
console.log(`The descriptors are those of Envoy ${version}. Set the same version in package.json and run the tests.`);
