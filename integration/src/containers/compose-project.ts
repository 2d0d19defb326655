import { spawn } from "node:child_process";

export interface ComposeProjectOptions {
  /** How Compose is called. */
  readonly compose: readonly [string, ...string[]];
  /** Sets its containers, networks and volumes apart from all others. */
  readonly name: string;
  /** Where docker-compose.yml is. */
  readonly directory: string;
  /** Added to the process's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ComposeRunOptions {
  readonly limitMs: number;
  /** Standard input of the command. */
  readonly input?: string;
}

const usualLimitMs = 60_000;

/** Docker Compose, for one project. */
export class ComposeProject {
  readonly #options: ComposeProjectOptions;

  constructor(options: ComposeProjectOptions) {
    this.#options = options;
  }

  /** What the command wrote on standard output. Throws, with all that it wrote, when it fails or takes longer than the limit. */
  async run(
    args: readonly string[],
    { limitMs, input }: ComposeRunOptions = { limitMs: usualLimitMs },
  ): Promise<string> {
    const { compose, name, directory, env } = this.#options;
    const [program, ...first] = compose;
    const child = spawn(program, [...first, "--project-name", name, "--ansi", "never", ...args], {
      cwd: directory,
      env: { ...process.env, ...env },
      timeout: limitMs,
    });
    let stdout = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      stdout += chunk;
      all += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      all += chunk;
    });
    child.stdin.end(input);
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.on("error", reject).on("close", (...how) => resolve(how));
    });
    if (code === 0) return stdout;
    throw new Error(`\`${program} ${[...first, ...args].join(" ")}\` ended with ${signal ?? `code ${code}`}:\n${all}`);
  }

  /** A command inside a service's container. */
  exec(service: string, command: readonly string[], input?: string): Promise<string> {
    return this.run(["exec", "-T", service, ...command], {
      limitMs: usualLimitMs,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** Where this machine reaches a published port: "http://127.0.0.1:40123". */
  async origin(service: string, port: number): Promise<string> {
    return `http://${(await this.run(["port", service, String(port)])).trim()}`;
  }
}
