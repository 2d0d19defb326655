import type { Callback, Operation, Pairs, Script } from "@chancery/filter-testing/probe";
import { randomNumbers } from "../harness/random-numbers.ts";

/** What one stream is made of: what client and upstream send, and what the probe does in between. */
export interface Case {
  readonly id: number;
  readonly script: Script;
  readonly request: Message;
  readonly response: Message & { readonly status: number };
  /** What a cluster answers to the probe's HTTP call. */
  readonly callAnswer: Message & { readonly status: number };
}

export interface Message {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly chunks: readonly string[];
  readonly trailers: readonly (readonly [name: string, value: string])[] | undefined;
}

export const cluster = "upstream";
/** Another cluster, so that its answers come over another connection. */
export const callCluster = "calls";

/** The case of that number, of that seed. */
export function randomCase(seed: number, id: number): Case {
  const make = new Maker(randomNumbers(seed * 1_000_003 + id), id);
  return {
    id,
    script: make.script(),
    request: make.message("request"),
    response: { status: make.one([200, 200, 200, 302, 404, 500]), ...make.message("response") },
    callAnswer: { status: make.one([200, 403, 500]), ...make.message("response") },
  };
}

const names = [
  ...["x-a", "x-b", "X-Mixed", "x-empty", "content-type", "user-agent", "accept", "cookie", "authorization", "x-c"],
  ...["via", "x-forwarded-for", "x-request-id", "cache-control", "grpc-status", "location", "server", "vary", "etag"],
  ...["x-envoy-attempt-count", "set-cookie", "referer", "origin", "accept-encoding", "expect", "x-forwarded-host"],
];
const pseudoNames = [":path", ":method", ":authority", ":scheme", ":status", "host"];
const values = ["", "1", "two", "a,b", "text/plain", "application/json", "trailers", "é", "x".repeat(40)];
const chunks = ["a", "hello", "0123456789", "y".repeat(300), "é"];
const properties = [
  ...["request.path", "request.url_path", "request.query", "request.host", "request.scheme", "request.method"],
  ...[
    "request.useragent",
    "request.referer",
    "request.id",
    "request.headers.x-a",
    "request.headers",
    "request.nothing",
  ],
  ...["request.protocol", "request.size", "request.headers_bytes", "response.code", "response.headers.x-a", "nothing"],
  ...["response.size", "response.flags", "response.code_details", "connection.mtls", "plugin_name", "plugin_root_id"],
  ...["plugin_vm_id", "xds.route_name", "xds.virtual_host_name", "kept", "kept.more", "node"],
  ...["connection.requested_server_name", "response.headers", "response.trailers", "request.total_size", ""],
  ...["request", "response", "connection", "xds", "filter_state", "source", "upstream", "metadata", "xds.node.id"],
];

const requestPart: readonly Callback[] = ["requestHeaders", "requestBody", "requestTrailers"];
const responsePart: readonly Callback[] = ["responseHeaders", "responseBody", "responseTrailers"];

class Maker {
  readonly #random: () => number;
  readonly #id: number;
  /** The stream is held until the answer of this call. */
  #continues: number | undefined;

  constructor(random: () => number, id: number) {
    this.#random = random;
    this.#id = id;
  }

  one<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }

  message(kind: "request" | "response"): Message {
    const pieces = this.#many(3, () => this.one(chunks));
    return {
      headers: this.#headers(kind),
      chunks: this.#random() < 0.4 ? [] : pieces,
      trailers: this.#random() < 0.3 ? [["x-end", this.one(values.slice(1))]] : undefined,
    };
  }

  /** Those of one name together: Node's HTTP/2 sends them so. */
  #headers(kind: string): Message["headers"] {
    const headers = this.#many(4, () => [`x-${kind}-${this.one(["a", "b", "c"])}`, this.one(values)] as const);
    return headers.sort(([left], [right]) => (left < right ? -1 : Number(left > right)));
  }

  script(): Script {
    const script: Partial<Record<Callback, readonly (readonly Operation[])[]>> = {};
    for (const callback of [...requestPart, ...responsePart]) {
      if (this.#random() < 0.25) continue;
      const occurrences = callback.endsWith("Body") ? 4 : 1;
      script[callback] = Array.from({ length: occurrences }, () => this.#operations(callback));
    }
    for (const callback of ["log", "done", "delete"] as const) {
      if (this.#random() < 0.5) script[callback] = [this.#many(3, () => this.#plain(callback))];
    }
    if (this.#continues !== undefined) {
      const end: Operation = this.#random() < 0.2 ? this.#localResponse() : ["continueStream", this.#continues];
      script.httpCallResponse = [[...this.#many(4, () => this.#plain("httpCallResponse")), end]];
    }
    return script;
  }

  #operations(callback: Callback): readonly Operation[] {
    const operations = this.#many(4, () => this.#plain(callback));
    const flow = this.#random();
    if (flow < 0.06) return [...operations, this.#localResponse(), ["answer", this.one([0, 1])]];
    if (flow < 0.07) return [...operations, ["closeStream", this.one([0, 1])], ["answer", 1]];
    if (flow < 0.2 && this.#continues === undefined) {
      this.#continues = Number(responsePart.includes(callback));
      return [
        ...operations,
        this.#httpCall(callCluster),
        ["answer", callback.endsWith("Headers") ? this.one([1, 3, 4, 9]) : 1],
      ];
    }
    if (flow < 0.45 && callback.endsWith("Body")) return [...operations, ["answer", this.one([1, 1, 1, 2, 3])]];
    return operations;
  }

  /** An operation that does not change where the stream goes. */
  #plain(callback: Callback): Operation {
    const map = this.#map(callback);
    const name = () => this.one(this.#random() < 0.2 ? pseudoNames : names);
    const buffer = this.one([Number(responsePart.includes(callback)), 0, 1, 4, 5, 6, 7, 9]);
    const id = this.#id;
    return this.one<() => Operation>([
      () => ["getHeader", map, name()],
      () => ["getHeader", map, name()],
      () => ["getPairs", map],
      () => ["getHeadersSize", map],
      () => ["addHeader", map, this.one(names), this.one(values)],
      () => ["addHeader", map, this.one(names), this.one(values)],
      () => this.#replace(map),
      () => ["removeHeader", map, this.one(names)],
      () => ["setPairs", map, this.#pairs(map)],
      () => ["getBuffer", buffer, this.one([0, 0, 3, 1000]), this.one([0, 4, 100_000])],
      () => ["getBufferStatus", buffer],
      () => ["setBuffer", buffer, this.one([0, 0, 1, 100_000]), this.one([0, 3, 100_000]), this.one(["", "new", "<>"])],
      () => ["getProperty", this.one(properties).replaceAll(".", "\0")],
      () => ["getProperty", this.one(properties).replaceAll(".", "\0")],
      () => ["setProperty", this.one(["kept", "kept\0more"]), this.one(values)],
      () => ["defineMetric", this.one([0, 1, 2, 3]), `m${id}.${this.one(["a", "b"])}`],
      () => ["incrementMetric", this.one([1, 2, 0, -1])],
      () => ["recordMetric", this.one([0, 1, 5])],
      () => ["getMetric"],
      () => ["getShared", `k${id}.${this.one(["a", "b"])}`],
      () => ["setShared", `k${id}.${this.one(["a", "b"])}`, this.one(values), this.one(["any", "kept", "wrong"])],
      () => ["resolveQueue", this.one(["", "elsewhere"]), `q${id}.${this.one(["a", "b"])}`],
      () => ["registerQueue", `q${id}.${this.one(["a", "b"])}`],
      () => ["enqueue", this.one(values)],
      () => ["dequeue"],
      () => ["foreign", this.one(["compress", "uncompress", "nothing"]), this.one(values)],
      () => ["getStatus"],
      () => ["getLogLevel"],
      () => this.#httpCall("nowhere"),
    ])();
  }

  #map(callback: Callback): number {
    const own = { requestHeaders: 0, requestBody: 1, requestTrailers: 1, responseHeaders: 2, responseBody: 3 } as const;
    const usual = Object.hasOwn(own, callback) ? own[callback as keyof typeof own] : 3;
    return this.#random() < 0.7 ? usual : this.one([0, 1, 2, 3, 4, 6, 7, 8]);
  }

  #replace(map: number): Operation {
    const all: readonly (readonly [string, string])[] = [
      [":path", "/new?q=1"],
      ["host", "v"],
      [":status", "201"],
    ];
    const [name, value] = map === 0 ? this.one(all.slice(0, 2)) : this.one(all.slice(2));
    const pseudo = map === 0 || map === 2 ? this.#random() < 0.3 : false;
    return ["replaceHeader", map, pseudo ? name : this.one(names), value];
  }

  /** Enough for the stream to go on. */
  #pairs(map: number): Pairs {
    const request = [
      [":method", "POST"],
      [":path", "/set"],
      [":authority", "set"],
      [":scheme", "http"],
      ["x-id", String(this.#id)],
      ...(this.#random() < 0.8 ? [["x-forwarded-proto", "http"] as const] : []),
    ] as const;
    const needed = map === 0 ? request : map === 2 ? ([[":status", "203"]] as const) : [];
    return [...needed, ...this.#many(4, () => [this.one(names), this.one(values)] as const)];
  }

  #localResponse(): Operation {
    const headers = this.#many(3, () => [this.one(names), this.one(values)] as const);
    const details = this.one(["", "why", "two words"]);
    return [
      "localResponse",
      this.one([200, 403, 503, 429]),
      details,
      this.one(["", "no", "é"]),
      headers,
      this.one([-1, 7]),
    ];
  }

  #httpCall(to: string): Operation {
    const all = [
      [":method", "POST"],
      [":path", "/call"],
      [":authority", "call"],
      ["x-call", String(this.#id)],
    ] as const;
    const headers = to === callCluster || this.#random() < 0.5 ? all : all.slice(1);
    const trailers = this.#random() < 0.3 ? ([["x-end", "1"]] as const) : [];
    return ["httpCall", to, headers, this.one(["", "ask"]), trailers, this.one([5000, 0])];
  }

  #many<T>(most: number, make: () => T): T[] {
    return Array.from({ length: Math.floor(this.#random() * (most + 1)) }, make);
  }
}
