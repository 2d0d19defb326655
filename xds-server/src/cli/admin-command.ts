import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { Command, type CommanderError, Option } from "commander";
import { problemText } from "../model/problem.ts";
import { ProblemsError } from "../model/problems-error.ts";
import { AdminClient } from "./client.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";
import { coloured, printError, printJson } from "./terminal.ts";

export interface AdminOptions {
  readonly admin: string;
  readonly tokenFile?: string;
  readonly output?: string;
}

/** The address of the admin API without --admin and CHANCERY_ADMIN. */
const defaultAdmin = "http://127.0.0.1:18001";

/** A command that suggests the nearest name for a mistyped one, and ends with exit code 2 when its arguments are wrong. */
export function command(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .showSuggestionAfterError()
    .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage));
}

/** A command that calls the admin API. `outputs` lists the values of -o other than "text". */
export function adminCommand(name: string, summary: string, outputs: readonly string[] = ["json"]): Command {
  return command(name, summary)
    .addOption(new Option("--admin <url>", "the address of the admin API").env("CHANCERY_ADMIN").default(defaultAdmin))
    .addOption(
      new Option("--token-file <file>", "a file with the bearer token; CHANCERY_TOKEN can hold the token itself").env(
        "CHANCERY_TOKEN_FILE",
      ),
    )
    .addOption(
      new Option("-o, --output <format>", "the format of the output").choices(["text", ...outputs]).default("text"),
    );
}

/** Runs an action that calls the admin API. Prints a failure and sets the exit code. */
export function run<Options extends AdminOptions>(
  action: (client: AdminClient, options: Options) => Promise<number>,
): (this: Command) => Promise<void> {
  return function (this: Command) {
    const options = this.opts<Options>();
    return runLocally(options.output, () => action(clientOf(options), options));
  };
}

/** Runs an action without the admin API. Prints a failure and sets the exit code. */
export async function runLocally(output: string | undefined, action: () => Promise<number>): Promise<void> {
  process.stdout.on("error", endWhenNobodyReads);
  try {
    process.exitCode = await action();
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    process.exitCode = error instanceof CommandFailure ? error.exitCode : exitCodes.rejected;
    printFailure(error, output === "json");
  }
}

/** A reader that closes the pipe early is no failure: `chancery revisions | head`. */
function endWhenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.done);
}

function printFailure({ message, action = message, problems }: ProblemsError, asJson: boolean): void {
  if (asJson) printJson({ error: action, problems });
  if (problems.length === 0) printError(`${coloured("red", "error:")} ${action}`);
  for (const problem of problems) printError(`${coloured("red", "error:")} ${problemText(problem)}`);
}

function clientOf({ admin, tokenFile }: AdminOptions): AdminClient {
  if (!/^https?:\/\//.test(admin) || !URL.canParse(admin)) {
    throw new CommandFailure(exitCodes.usage, `--admin must be a URL such as ${defaultAdmin}, not "${admin}"`);
  }
  const { CHANCERY_TOKEN } = process.env;
  const token = tokenFile === undefined ? CHANCERY_TOKEN : readToken(tokenFile);
  return new AdminClient({ admin, author: author(), ...(token === undefined || token === "" ? {} : { token }) });
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(exitCodes.usage, `Cannot read the token file: ${cause}`);
  }
}

/** The name of the user, with `?` for each character that a header cannot carry. */
function author(): string {
  const name = userName()
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .slice(0, 128);
  return name === "" ? "cli" : name;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return "cli";
  }
}
