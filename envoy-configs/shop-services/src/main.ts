import { parseArgs } from "node:util";
import { startService } from "./service.ts";

const usage = "Usage: node dist/main.js --name catalog|cart|cart-v2 --listen HOST:PORT";

const { values } = parseArgs({ options: { name: { type: "string" }, listen: { type: "string" } } });
const [, host, port] = /^(.+):(\d+)$/.exec(values.listen ?? "") ?? [];
if (values.name === undefined || host === undefined || port === undefined) {
  process.stderr.write(`${usage}\n`);
  process.exit(2);
}

try {
  const service = await startService({ name: values.name, host, port: Number(port) });
  process.stdout.write(`${values.name} listens on ${host}:${service.port}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void service.close());
} catch (error) {
  const inUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  const cause = inUse
    ? "the port is in use; stop the process that uses it, or choose another port"
    : (error as Error).message;
  process.stderr.write(`error: cannot listen on ${values.listen}: ${cause}\n`);
  process.exitCode = 1;
}
