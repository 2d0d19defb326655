import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Bootstrap, describeExit, type RunningEnvoy } from "@chancery/xds-server/envoy";
import { listen } from "../harness/listening.ts";
import {
  bootstrapOf,
  clusterOf,
  httpConnectionManager,
  type Plugin,
  upstreamProtocol,
  wasmFilter,
} from "../harness/static-bootstrap.ts";
import { startTestEnvoy } from "../harness/test-envoy.ts";
import { type Case, callCluster, cluster, type Message } from "./scripts.ts";

/** A message as the client or upstream received it. */
export interface Received {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** The whole message has arrived. */
  readonly complete: boolean;
}

export interface Parity {
  readonly envoy: RunningEnvoy;
  /** Sends a case's request. Undefined: there was no response within `waitMs`, and the client reset the stream. */
  play(parityCase: Case, options: PlayOptions): Promise<Received | undefined>;
  /** A case's request as upstream received it. */
  upstreamOf(id: number): Received | undefined;
  stop(): Promise<void>;
}

export interface PlayOptions {
  readonly headers: Message["headers"];
  /** The filter's calls are answered only after upstream has answered. */
  readonly responseFirst: boolean;
  readonly waitMs: number;
  /** How long to wait until Envoy has read what was sent before. Node only reports that the system has the bytes. */
  readonly processedMs: number;
}

type Header = readonly [name: string, value: string];

/** A case under way. Its calls are answered after the whole request is sent: otherwise two sockets would race. */
interface Playing {
  readonly parityCase: Case;
  readonly sent: Promise<void>;
  readonly answered: Promise<void>;
  readonly processedMs: number;
  setAnswered(): void;
}

export interface ParityOptions {
  /** A filter that holds the headers back still receives the body. */
  readonly holdsHeaders?: boolean;
}

/** Starts an Envoy with one worker between an HTTP/2 client and an HTTP/2 server, which keep the pieces of a body apart. */
export async function startParity(
  wasm: Uint8Array,
  name: string,
  configuration: string,
  { holdsHeaders = false }: ParityOptions = {},
): Promise<Parity> {
  const directory = await mkdtemp(join(tmpdir(), "chancery-parity-"));
  const filename = join(directory, "filter.wasm");
  await writeFile(filename, wasm);
  const playing = new Map<number, Playing>();
  const upstream = new Map<number, Received>();
  const server = http2.createServer();
  server.on("stream", (stream, _headers, _flags, raw) => {
    const headers = pairs(raw as unknown as readonly string[]);
    serve(stream, headers, playing, upstream);
  });
  const listening = await listen(server);
  const plugin = { name, wasmPath: filename, configuration, holdsHeaders };
  const envoy = await startTestEnvoy(parityBootstrap(plugin, listening.port));
  const port = await envoy.listenerPort("parity");
  let session = connect(port);
  let ended: string | undefined;
  void envoy.exited.then((exit) => {
    ended = `Envoy has ended (${describeExit(exit)}): ${envoy.recentLog().join("\n")}`;
  });
  return {
    envoy,
    upstreamOf: (id) => upstream.get(id),
    play: async (parityCase, options) => {
      if (ended !== undefined) throw new Error(ended);
      // Node closes a connection on which Envoy violates HTTP/2. The cases on it are played again.
      if (session.destroyed || session.closed) session = connect(port);
      const sent = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      if (!options.responseFirst) answered.resolve();
      const promises = { sent: sent.promise, answered: answered.promise, setAnswered: answered.resolve };
      playing.set(parityCase.id, { parityCase, processedMs: options.processedMs, ...promises });
      return exchange(session, parityCase.request, options, sent.resolve);
    },
    async stop() {
      session.destroy();
      await envoy.stop();
      listening.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function connect(port: number): http2.ClientHttp2Session {
  return http2.connect(`http://127.0.0.1:${port}`).on("error", () => {});
}

function serve(
  stream: http2.ServerHttp2Stream,
  headers: readonly Header[],
  playing: ReadonlyMap<number, Playing>,
  upstream: Map<number, Received>,
): void {
  const valueIn = (wanted: string) => headers.find(([name]) => name === wanted)?.[1];
  const called = playing.get(Number(valueIn("x-call")));
  const played = called ?? playing.get(Number(valueIn("x-id")));
  const received: Buffer[] = [];
  let trailers: readonly Header[] = [];
  stream.on("error", () => {});
  stream.on("data", (data: Buffer) => received.push(data));
  stream.on("trailers", (_headers: unknown, _flags: number, raw: readonly string[]) => {
    trailers = pairs(raw);
    // Node may report them after the end.
    const got = played && called === undefined ? upstream.get(played.parityCase.id) : undefined;
    if (got !== undefined && played !== undefined) upstream.set(played.parityCase.id, { ...got, trailers });
  });
  stream.on("end", async () => {
    if (stream.aborted || played === undefined) return;
    if (called !== undefined) {
      await Promise.all([called.sent, called.answered]);
      await delay(called.processedMs);
      await answerWith(stream, called.parityCase.callAnswer);
      return;
    }
    const { id, response } = played.parityCase;
    upstream.set(id, { headers, body: Buffer.concat(received).toString("latin1"), trailers, complete: true });
    await answerWith(stream, response);
    played.setAnswered();
  });
}

async function answerWith(
  stream: http2.ServerHttp2Stream,
  answer: Message & { readonly status: number },
): Promise<void> {
  const { chunks, trailers } = answer;
  if (stream.destroyed) return;
  const headers = { ":status": answer.status, ...headersOf(answer.headers) };
  const endStream = chunks.length === 0 && trailers === undefined;
  stream.respond(headers, {
    sendDate: false,
    endStream,
    waitForTrailers: trailers !== undefined,
  } as http2.ServerStreamResponseOptions);
  const trailersSent = Promise.withResolvers<void>();
  stream.once("close", trailersSent.resolve);
  if (trailers === undefined) trailersSent.resolve();
  else {
    stream.once("wantTrailers", () => {
      stream.sendTrailers(headersOf(trailers));
      trailersSent.resolve();
    });
  }
  if (!endStream) await writeAll(stream, chunks);
  await trailersSent.promise;
}

function exchange(
  session: http2.ClientHttp2Session,
  message: Message,
  { headers, waitMs }: PlayOptions,
  sent: () => void,
): Promise<Received | undefined> {
  return new Promise((resolve) => {
    const { chunks, trailers } = message;
    const endStream = chunks.length === 0 && trailers === undefined;
    const stream = session.request(headersOf(headers), { endStream, waitForTrailers: trailers !== undefined });
    let answered: readonly Header[] = [];
    let last: readonly Header[] = [];
    let ended = false;
    const body: Buffer[] = [];
    const timer = setTimeout(() => {
      stream.close(http2.constants.NGHTTP2_CANCEL);
      resolve(undefined);
    }, waitMs);
    stream.on("response", (_headers, _flags, raw?: readonly string[]) => {
      answered = pairs(raw ?? []);
    });
    stream.on("data", (data: Buffer) => body.push(data));
    stream.on("trailers", (_headers: unknown, _flags: number, raw: readonly string[]) => {
      last = pairs(raw);
    });
    stream.on("end", () => {
      ended = true;
    });
    stream.on("error", () => {});
    stream.on("close", () => {
      clearTimeout(timer);
      const complete = ended && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR;
      resolve({ headers: answered, body: Buffer.concat(body).toString("latin1"), trailers: last, complete });
    });
    if (trailers !== undefined) {
      stream.once("wantTrailers", () => {
        stream.sendTrailers(headersOf(trailers));
        sent();
      });
    }
    stream.once("close", sent);
    if (endStream) sent();
    else void writeAll(stream, chunks).then(() => trailers === undefined && sent());
  });
}

/** Writes each piece after the one before has been sent, so that it is a frame of its own. */
async function writeAll(stream: http2.Http2Stream, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) {
    if (stream.destroyed) return;
    await new Promise<void>((resolve) => stream.write(chunk, () => resolve()));
  }
  if (!stream.destroyed) await new Promise<void>((resolve) => stream.end(() => resolve()));
}

function headersOf(list: readonly Header[]): http2.OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of list) {
    const text = Buffer.from(value, "utf8").toString("latin1");
    const before = headers[name];
    headers[name] = before === undefined ? text : Array.isArray(before) ? [...before, text] : [before, text];
  }
  return headers;
}

function pairs(raw: readonly string[]): readonly Header[] {
  return Array.from(
    { length: raw.length / 2 },
    (_, index) => [raw[index * 2] ?? "", raw[index * 2 + 1] ?? ""] as const,
  );
}

function parityBootstrap(plugin: Plugin, upstreamPort: number): Bootstrap {
  const manager = httpConnectionManager({
    filters: [wasmFilter("http", plugin)],
    routes: [{ name: "all", match: { prefix: "/" }, route: { cluster, timeout: "0s" } }],
    virtualHost: "host",
    router: { suppress_envoy_headers: true },
    fields: {
      codec_type: "HTTP2",
      generate_request_id: false,
      server_header_transformation: "PASS_THROUGH",
      skip_xff_append: true,
      stream_idle_timeout: "0s",
    },
  });
  const protocol = upstreamProtocol({ http2_protocol_options: {} });
  return bootstrapOf({
    listeners: [{ name: "parity", filters: [manager] }],
    clusters: [cluster, callCluster].map((name) => clusterOf(name, upstreamPort, protocol)),
  });
}
