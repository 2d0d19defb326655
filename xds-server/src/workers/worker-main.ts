import { connect, type ServerService, type WorkerService } from "./services.ts";
import { type RemoteServer, worker } from "./worker.ts";

/** The program of a worker process: its channel is the one to the process that started it, and it ends with that. */
const send = process.send?.bind(process);
if (send === undefined) throw new Error("A worker is started by the server, not by hand");

// Ctrl-C goes to every process of a terminal; a worker ends when the server tells it to, or is gone.
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
