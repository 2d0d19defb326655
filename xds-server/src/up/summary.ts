import { formatHostPort } from "../app/config.ts";
import type { ListenAddress } from "../envoy/index.ts";

export interface SummaryOptions {
  /** By name. */
  readonly listeners: ReadonlyMap<string, ListenAddress>;
  readonly xds: ListenAddress;
  readonly admin: ListenAddress;
  readonly envoyAdmin: ListenAddress;
  /** Commands to suggest. Empty: general ones. */
  readonly try: readonly string[];
}

/** The address of the admin API that the command line uses by default. */
const defaultAdmin = "127.0.0.1:18001";

/** The text that says what is up, at which addresses, and what to try next. */
export function summary({ listeners, xds, admin, envoyAdmin, try: given }: SummaryOptions): string {
  const adminAddress = formatHostPort(admin);
  const rows: [string, string][] = [...listeners].map(([name, address]) => [
    `listener ${name}`,
    formatHostPort(address),
  ]);
  if (rows.length === 0) rows.push(["listener", "none yet: apply a Listener document"]);
  rows.push(
    ["admin API", `http://${adminAddress}`],
    ["xDS", formatHostPort(xds)],
    ["Envoy's admin", `http://${formatHostPort(envoyAdmin)}`],
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  const commands =
    given.length > 0 ? given : ["npx chancery status", "npx chancery apply -f FILE", "npx chancery revisions"];
  const environment = adminAddress === defaultAdmin ? [] : [`export CHANCERY_ADMIN=http://${adminAddress}`];
  return [
    "",
    "Chancery is up:",
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    "Try, in another terminal:",
    ...[...environment, ...commands].map((command) => `  ${command}`),
    "Ctrl-C ends everything.",
  ].join("\n");
}
