import { InvalidArgumentError, Option } from "commander";
import { parseHostPort } from "../app/config.ts";
import type { HostPort } from "../services/xds-server.ts";
import { logLevels } from "../telemetry/log.ts";

/** An option with the value HOST:PORT. */
export function hostPort(flags: string, description: string, byDefault: string): Option {
  const parse = (text: string): HostPort => {
    const parsed = parseHostPort(text);
    if (parsed === undefined) throw new InvalidArgumentError("Give HOST:PORT, such as 127.0.0.1:18000 or [::1]:0.");
    return parsed;
  };
  return new Option(flags, description).argParser(parse).default(parse(byDefault), byDefault);
}

export function logLevel(byDefault: string): Option {
  return new Option("--log-level <level>", "the lowest level that the server logs")
    .choices(logLevels)
    .default(byDefault);
}

/** Gathers the values of a repeatable option. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
