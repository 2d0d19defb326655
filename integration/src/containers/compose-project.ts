import { spawn } from "node:child_process";

export interface ComposeProjectOptions {
  /** The command of Docker Compose. */
  readonly compose: readonly [string, ...string[]];
  /** The name that separates its containers, networks and volumes from all others. */
  readonly name: string;
  /** The folder of docker-compose.yml. */
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

/** A project of Docker Compose. */
export class ComposeProject {
  readonly #options: ComposeProjectOptions;

  constructor(options: ComposeProjectOptions) {
    this.#options = options;
  }

  /** Runs a command. Returns its standard output. Throws with all of its output when it fails or takes longer than the limit. */
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

  /** Runs a command inside a service's container. Returns its standard output. */
  exec(service: string, command: readonly string[], input?: string): Promise<string> {
    return this.run(["exec", "-T", service, ...command], {
      limitMs: usualLimitMs,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** The address of a published port on this machine: "http://127.0.0.1:40123". */
  async origin(service: string, port: number): Promise<string> {
    return `http://${(await this.run(["port", service, String(port)])).trim()}`;
  }
}
