import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Choices } from "../harness/random-choices.ts";
import { type CallAttack, type ConnectionAttack, randomAttack } from "./attacks.ts";
import { ResponseReader } from "./response-reader.ts";

/** The task of the attacking thread. */
export interface Campaign {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  /** The number of its first attack. */
  readonly from: number;
  /** The minimum number of frames that it sends. Frames after the end of a call do not count. */
  readonly frames: number;
}

/** The result of a campaign. */
export interface CampaignReport {
  readonly attacks: number;
  readonly frames: number;
  /** The number of attacks by their ends: the number of a gRPC status, "connection lost" or the like. */
  readonly ends: ReadonlyMap<string, number>;
  /** Ends that no attack may have, with the number of the attack. */
  readonly faults: readonly string[];
}

const attackers = 40;
/** Longer frames, in bytes, are not sent byte by byte, because it would take this client too long. */
const maxBytewise = 300;
/** An attack that has not ended after this time is a fault: the server hangs. */
const patienceMs = 20_000;
const { host, port, seed, from, frames: wantedFrames } = workerData as Campaign;

let attacks = 0;
let frames = 0;
const ends = new Map<string, number>();
const faults: string[] = [];

await Promise.all(Array.from({ length: attackers }, attackOn));
parentPort?.postMessage({ attacks, frames, ends, faults } satisfies CampaignReport);

/** Makes one attack after the other. Calls share a connection until the server closes it. */
async function attackOn(): Promise<void> {
  let session: ClientHttp2Session | undefined;
  while (frames < wantedFrames) {
    const id = from + attacks++;
    const attack = randomAttack(seed, id);
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(`http://${host}:${port}`).on("error", () => {});
    }
    const over = attack.on === "call" ? attackByCall(session, attack, new Choices(id)) : attackByConnection(attack);
    const end = await inTime(over);
    ends.set(end, (ends.get(end) ?? 0) + 1);
    if (/no end|The server failed/.test(end)) faults.push(`CHANCERY_HOSTILE_SEED=${seed}, attack ${id}: ${end}`);
  }
  session?.destroy();
}

async function inTime(over: Promise<string>): Promise<string> {
  const patience = new AbortController();
  const tooLate = delay(patienceMs, "no end", { signal: patience.signal, ref: false });
  const end = await Promise.race([over, tooLate]);
  patience.abort();
  return end;
}

async function attackByCall(session: ClientHttp2Session, attack: CallAttack, choose: Choices): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let end = "connection lost";
  const stream = session.request({
    ":method": "POST",
    ":path": attack.path,
    "content-type": "application/grpc",
    "grpc-encoding": attack.encoding,
    te: "trailers",
  });
  const take = (headers: Record<string, string | string[] | undefined>): void => {
    const { "grpc-status": status, "grpc-message": message = "" } = headers;
    if (status !== undefined) end = status === "13" ? `${status} ${message}` : String(status);
  };
  const responses = new ResponseReader(attack.variant);
  stream.on("response", take).on("trailers", take);
  stream.on("data", (bytes: Buffer) => responses.take(bytes));
  stream.on("error", () => {});
  stream.on("close", () => resolve(end));
  for (const frame of attack.frames) {
    if (stream.destroyed || stream.closed) break;
    frames += 1;
    for (const piece of pieces(frame(responses.last), attack.cut, choose)) {
      const written = new Promise<void>((resolve) => stream.write(piece, () => resolve()));
      // When the server ends the stream meanwhile, Node does not always report the end of a write.
      await Promise.race([written, promise]);
    }
  }
  if (attack.end === "half-close") stream.end();
  else {
    end = "reset";
    stream.close();
  }
  return promise;
}

function pieces(frame: Buffer, cut: CallAttack["cut"], choose: Choices): readonly Buffer[] {
  if (cut === "nowhere") return [frame];
  if (cut === "everywhere" && frame.length <= maxBytewise) return Array.from(frame, (byte) => Buffer.of(byte));
  const at = choose.below(frame.length);
  return [frame.subarray(0, at), frame.subarray(at)];
}

async function attackByConnection(attack: ConnectionAttack): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host, port });
  socket.on("error", () => {});
  socket.on("close", () => resolve("connection closed"));
  frames += attack.frames.length;
  socket.resume().end(Buffer.concat(attack.frames));
  return promise;
}
