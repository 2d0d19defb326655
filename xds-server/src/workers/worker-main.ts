import { connect, type ServerService, type WorkerService } from "./services.ts";
import { type RemoteServer, worker } from "./worker.ts";

/** The program of a worker process. Its channel leads to the process that started it. It ends when the channel closes. */
const send = process.send?.bind(process);
if (send === undefined) throw new Error("A worker process can only be started by the server");

// Ctrl-C sends a signal to every process of the terminal. A worker ignores it: the server ends its workers.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());

const server: RemoteServer = connect<ServerService, WorkerService>(
  worker(
    () => server,
    () => process.exit(),
  ),
  {
    send: (message) => void send(message, undefined, undefined, () => {}),
    onMessage: (listener) => void process.on("message", listener),
  },
);
