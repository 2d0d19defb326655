import { type Exchange, type Headers, type Host, loadFilter } from "@chancery/filter-testing";
import type { ParityOptions, Received } from "./envoy.ts";
import { type Case, callCluster, cluster, type Message } from "./scripts.ts";

type Header = readonly [name: string, value: string];

/** The result of a case in the host. */
export interface Played {
  readonly client: Received | undefined;
  readonly upstream: Received | undefined;
  /** Upstream had answered before the call was answered. */
  readonly responseFirst: boolean;
  /** What happened that Envoy leaves undefined. */
  readonly faults: readonly string[];
}

/** The same filter in the host, with the same upstream and cluster. */
export class ParityHost {
  readonly host: Host;
  readonly #playing = new Map<string, Case>();

  constructor(host: Host) {
    this.host = host;
  }

  /** Answers the filter's calls, after the whole request was sent and after upstream answered it if it arrived there. */
  #answerCalls(): void {
    for (const call of this.host.httpCalls) {
      const { callAnswer } = this.#playing.get(call.headers.get("x-call") ?? "") ?? {};
      if (callAnswer) call.answer({ ...answerOf(callAnswer), body: callAnswer.chunks.join("") });
    }
    this.host.settle();
  }

  play(parityCase: Case, headers: Message["headers"]): Played {
    const { host } = this;
    const { id, request, response } = parityCase;
    this.#playing.set(String(id), parityCase);
    const faultsBefore = host.faults.length;
    const exchange = host.open({
      headers,
      body: piecesOf(request),
      ...(request.trailers && { trailers: request.trailers }),
      upstream: ({ headers }) => (headers.get("x-id") === String(id) ? answerOf(response) : { status: 599 }),
    });
    const responseFirst = exchange.upstream?.complete ?? false;
    this.#answerCalls();
    const { done, upstream } = exchange;
    if (!done) exchange.cancel();
    return {
      responseFirst,
      client: done ? clientOf(exchange) : undefined,
      upstream:
        upstream &&
        got(upstream.headers, Buffer.from(upstream.bodyBytes).toString("latin1"), upstream.trailers, upstream.complete),
      faults: host.faults.slice(faultsBefore),
    };
  }
}

export async function startParityHost(
  wasm: Uint8Array,
  name: string,
  config: string,
  { holdsHeaders = false }: ParityOptions = {},
): Promise<ParityHost> {
  const host = await loadFilter(wasm, {
    name,
    config,
    allowOnHeadersStopIteration: holdsHeaders,
    protocol: "HTTP/2",
    upstreamProtocol: "HTTP/2",
    clusters: [cluster, callCluster],
    logLevel: "error",
    strict: false,
    properties: {
      "request.protocol": "HTTP/2",
      "xds.node.id": "",
      "xds.route_name": "all",
      "xds.virtual_host_name": "host",
    },
  });
  return new ParityHost(host);
}

function answerOf(message: Message & { readonly status: number }) {
  const { status, headers, trailers } = message;
  return { status, headers, body: piecesOf(message), ...(trailers && { trailers }) };
}

/** Node's HTTP/2, which the comparison uses, ends a body by a last piece without data. */
function piecesOf({ chunks, trailers }: Message): readonly string[] {
  return chunks.length > 0 && trailers === undefined ? [...chunks, ""] : chunks;
}

function clientOf(exchange: Exchange): Received {
  const { headers, bodyBytes, trailers, reset } = exchange.reply;
  return got(headers, Buffer.from(bodyBytes).toString("latin1"), trailers, reset === undefined);
}

function got(headers: Headers, body: string, trailers: Headers, complete: boolean): Received {
  return { headers: pairs(headers), body, trailers: pairs(trailers), complete };
}

function pairs(headers: Headers): readonly Header[] {
  return [...headers].map(([name, value]) => [name, Buffer.from(value).toString("latin1")] as const);
}
