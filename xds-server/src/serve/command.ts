import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Command, InvalidArgumentError, Option } from "commander";
import { type AppConfig, formatHostPort } from "../app/config.ts";
import { defaultLimits, type Limits, parseLimit } from "../app/limits.ts";
import { giveBackStartUpMemory } from "../process/start-up-memory.ts";
import { type NodeIdentity, nodeIdentities } from "../services/node-identity.ts";
import type { HostPort } from "../services/xds-server.ts";
import { collect, hostPort, logLevel } from "./options.ts";
import { checkAddresses } from "./ports.ts";

interface ServeFlags {
  readonly xdsListen: HostPort;
  readonly adminListen: HostPort;
  readonly dataDir: string;
  readonly config: readonly string[];
  readonly adminTokenFile?: string;
  readonly xdsTlsCert?: string;
  readonly xdsTlsKey?: string;
  readonly xdsTlsClientCa?: string;
  readonly xdsNodeIdentity: NodeIdentity;
  readonly clientStatusReader: readonly string[];
  readonly workers: number;
  readonly logLevel: string;
  readonly limit: Partial<Limits>;
}

/** `chancery serve`: the management server without an Envoy. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("serve discovery to proxies, and the admin API")
    .addOption(hostPort("--xds-listen <host:port>", "the address that proxies connect to", "127.0.0.1:18000"))
    .addOption(hostPort("--admin-listen <host:port>", "the address of the admin API", "127.0.0.1:18001"))
    .option("--data-dir <dir>", "the folder for revisions and filters", ".chancery")
    .option("--config <path>", "a file or folder of documents to apply and watch; repeatable", collect, [])
    .addOption(
      new Option(
        "--admin-token-file <file>",
        "a file with the admin API's bearer token; created with a random token when it does not exist (or set CHANCERY_TOKEN)",
      ).env("CHANCERY_TOKEN_FILE"),
    )
    .option("--xds-tls-cert <file>", "the server's certificate for mutual TLS with the proxies (PEM)")
    .option("--xds-tls-key <file>", "the private key of --xds-tls-cert (PEM)")
    .option("--xds-tls-client-ca <file>", "the authority that signs the proxies' certificates (PEM)")
    .addOption(
      new Option(
        "--xds-node-identity <from>",
        "with mutual TLS: certificate: a proxy's certificate must name its node id; none: a proxy may use any node id",
      )
        .choices(nodeIdentities)
        .default("certificate"),
    )
    .option(
      "--client-status-reader <name>",
      "with mutual TLS: a DNS name or URI in the certificate of a client that may read the status of every proxy (CSDS); repeatable",
      collect,
      [],
    )
    .addOption(workers())
    .addOption(logLevel("info"))
    .addOption(limit())
    .addHelpText(
      "after",
      `
Prints one line of JSON when the server is ready: {"event":"ready","xds":"127.0.0.1:18000","admin":"127.0.0.1:18001"}

Example:
  chancery serve --config envoy-configs/shop --data-dir /var/lib/chancery`,
    )
    .action(async (flags: ServeFlags, command: Command) => serve(configOf(flags, command)));
}

async function serve(config: AppConfig): Promise<void> {
  // V8 lets each half of the young generation grow from 1 to 16 MiB and never shrinks it. That costs a server 40 to 80 MiB of
  // resident memory, and saves a few per cent of its time. The flag must be set before the rest of the program is loaded,
  // because loading makes the young generation grow.
  setFlagsFromString("--semi-space-growth-factor=1");
  // Loaded here, so that commands that only call a server's API do not load the server.
  const { startApp } = await import("../app/app.ts");
  await checkAddresses([
    { address: config.xdsListen, by: "the xDS server", change: "choose another with --xds-listen HOST:PORT" },
    { address: config.adminListen, by: "the admin API", change: "choose another with --admin-listen HOST:PORT" },
  ]);
  const app = await startApp(config);
  giveBackStartUpMemory();
  const ready = { event: "ready", xds: formatHostPort(app.xds), admin: formatHostPort(app.admin) };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await app.close();
}

function configOf(flags: ServeFlags, command: Command): AppConfig {
  const token =
    flags.adminTokenFile === undefined ? process.env["CHANCERY_TOKEN"] : tokenIn(flags.adminTokenFile, command);
  const { xdsNodeIdentity: nodeIdentity, clientStatusReader: clientStatusReaders } = flags;
  const tls = [flags.xdsTlsCert, flags.xdsTlsKey, flags.xdsTlsClientCa];
  const [certFile, keyFile, caFile] = tls;
  if (tls.some(Boolean) && !tls.every(Boolean)) {
    command.error("error: mutual TLS needs all of --xds-tls-cert, --xds-tls-key and --xds-tls-client-ca", {
      exitCode: 2,
    });
  }
  return {
    xdsListen: flags.xdsListen,
    adminListen: flags.adminListen,
    dataDir: flags.dataDir,
    config: flags.config,
    workers: flags.workers,
    logLevel: flags.logLevel,
    limits: flags.limit,
    ...(token === undefined || token === "" ? {} : { adminToken: token }),
    ...(certFile && keyFile && caFile
      ? { xdsTls: { certFile, keyFile, caFile, nodeIdentity, clientStatusReaders } }
      : {}),
  };
}

/**
 * Reads the token. Creates the file with a random token, readable by its owner only, when it does not exist. So a first start
 * needs no preparation, and there is no default token.
 */
function tokenIn(file: string, command: Command): string {
  try {
    if (!existsSync(file)) {
      writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
      process.stderr.write(`Created the admin API's token in ${file}\n`);
    }
    const token = readFileSync(file, "utf8").trim();
    if (token !== "") return token;
  } catch (error) {
    command.error(`error: cannot read or create the token file "${file}": ${(error as Error).message}`, {
      exitCode: 2,
    });
  }
  return command.error(`error: the token file "${file}" is empty; write a long random text into it`, { exitCode: 2 });
}

const maxWorkers = 64;

function workers(): Option {
  const parse = (text: string): number => {
    const count = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
    if (count <= maxWorkers) return count;
    throw new InvalidArgumentError(`Give a whole number from 0 to ${maxWorkers}.`);
  };
  return new Option(
    "--workers <n>",
    "the number of worker processes that serve discovery, all on one port; 0: the server's own process serves it, which is enough for thousands of proxies",
  )
    .argParser(parse)
    .default(0);
}

function limit(): Option {
  const parse = (text: string, before: Partial<Limits>): Partial<Limits> => {
    const parsed = parseLimit(text);
    if (typeof parsed === "string") throw new InvalidArgumentError(parsed);
    return { ...before, ...parsed };
  };
  const names = Object.entries(defaultLimits).map(([name, value]) => `${name}=${value}`);
  return new Option("--limit <name=number>", `change a limit; repeatable (the limits are ${names.join(", ")})`)
    .argParser(parse)
    .default({}, "none");
}
