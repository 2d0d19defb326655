import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { repository } from "../harness/server-process.ts";
import { goProgram } from "./go-program.ts";
import { type TestResource, typeUrlOf } from "./resources.ts";
import type { Change, Target } from "./target.ts";

const caches: Readonly<Record<string, string>> = {
  linear: "linear cache",
  snapshot: "snapshot cache",
};

/** Starts go-control-plane with one of its caches. Builds the program in conformance/peers first, which needs Go 1.26. */
export async function startTarget(setup = "linear"): Promise<Target> {
  const cache = caches[setup];
  if (cache === undefined) {
    throw new Error(
      `Cannot start go-control-plane: the setup "${setup}" is not one of ${Object.keys(caches).join(", ")}`,
    );
  }
  const source = path.join(repository, "integration/conformance/peers/go-control-plane");
  const program = await goProgram("go-control-plane-peer", source);
  const child = spawn(program, ["-cache", setup], { stdio: ["ignore", "pipe", "inherit"] });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const [ready = ""] = await once(createInterface(child.stdout), "line");
  const { xds, admin }: { xds: string; admin: string } = JSON.parse(ready);
  return {
    name: `go-control-plane, ${cache}`,
    address: () => xds,
    lacks: new Set(["restart", "TTL"]),
    async publish(change) {
      const answer = await fetch(`http://${admin}/`, { method: "POST", body: JSON.stringify(byType(change)) });
      assert.ok(answer.ok, await answer.text());
    },
    async stop() {
      process.off("exit", kill);
      const { promise, resolve } = Promise.withResolvers<void>();
      child.once("close", () => resolve());
      if (child.kill()) await promise;
    },
  };
}

/** {type URL: {name: resource, or null when it is deleted}} */
function byType({ set, delete: gone }: Change): Record<string, Record<string, TestResource["json"] | null>> {
  const body: Record<string, Record<string, TestResource["json"] | null>> = {};
  for (const { type, name } of gone) body[typeUrlOf(type)] = { ...body[typeUrlOf(type)], [name]: null };
  for (const { type, name, json } of set) body[typeUrlOf(type)] = { ...body[typeUrlOf(type)], [name]: json };
  return body;
}
