import type { Callback, Operation, Pairs, Script } from "@chancery/filter-testing/probe";
import { Choices } from "../harness/random-choices.ts";

/** One stream: what client and upstream send, and what the probe does. */
export interface Case {
  readonly id: number;
  readonly script: Script;
  readonly request: Message;
  readonly response: Message & { readonly status: number };
  /** The answer to the probe's HTTP call. */
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

/** The case with this number, by the seed. */
export function randomCase(seed: number, id: number): Case {
  const choose = new Choices(seed * 1_000_003 + id);
  const make = new Maker(choose, id);
  return {
    id,
    script: make.script(),
    request: make.message("request"),
    response: { status: choose.one([200, 200, 200, 302, 404, 500]), ...make.message("response") },
    callAnswer: { status: choose.one([200, 403, 500]), ...make.message("response") },
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
  readonly #choose: Choices;
  readonly #id: number;
  /** What the answer to the call continues: 0 the request, 1 the response. Undefined: there is no call. */
  #continues: number | undefined;

  constructor(choose: Choices, id: number) {
    this.#choose = choose;
    this.#id = id;
  }

  message(kind: "request" | "response"): Message {
    const pieces = this.#choose.some(4, () => this.#choose.one(chunks));
    return {
      headers: this.#headers(kind),
      chunks: this.#choose.chance(0.4) ? [] : pieces,
      trailers: this.#choose.chance(0.3) ? [["x-end", this.#choose.one(values.slice(1))]] : undefined,
    };
  }

  /** Headers sorted by name, because Node's HTTP/2 sends those of one name together. */
  #headers(kind: string): Message["headers"] {
    const headers = this.#choose.some(
      5,
      () => [`x-${kind}-${this.#choose.one(["a", "b", "c"])}`, this.#choose.one(values)] as const,
    );
    return headers.sort(([left], [right]) => (left < right ? -1 : Number(left > right)));
  }

  script(): Script {
    const script: Partial<Record<Callback, readonly (readonly Operation[])[]>> = {};
    for (const callback of [...requestPart, ...responsePart]) {
      if (this.#choose.chance(0.25)) continue;
      const occurrences = callback.endsWith("Body") ? 4 : 1;
      script[callback] = Array.from({ length: occurrences }, () => this.#operations(callback));
    }
    for (const callback of ["log", "done", "delete"] as const) {
      if (this.#choose.chance(0.5)) script[callback] = [this.#choose.some(4, () => this.#plain(callback))];
    }
    if (this.#continues !== undefined) {
      const end: Operation = this.#choose.chance(0.2) ? this.#localResponse() : ["continueStream", this.#continues];
      script.httpCallResponse = [[...this.#choose.some(5, () => this.#plain("httpCallResponse")), end]];
    }
    return script;
  }

  #operations(callback: Callback): readonly Operation[] {
    const operations = this.#choose.some(5, () => this.#plain(callback));
    const flow = this.#choose.below(100);
    if (flow < 6) return [...operations, this.#localResponse(), ["answer", this.#choose.one([0, 1])]];
    if (flow < 7) return [...operations, ["closeStream", this.#choose.one([0, 1])], ["answer", 1]];
    if (flow < 20 && this.#continues === undefined) {
      this.#continues = Number(responsePart.includes(callback));
      return [
        ...operations,
        this.#httpCall(callCluster),
        ["answer", callback.endsWith("Headers") ? this.#choose.one([1, 3, 4, 9]) : 1],
      ];
    }
    if (flow < 45 && callback.endsWith("Body")) return [...operations, ["answer", this.#choose.one([1, 1, 1, 2, 3])]];
    return operations;
  }

  /** An operation that neither holds the stream nor answers it. */
  #plain(callback: Callback): Operation {
    const map = this.#map(callback);
    const name = () => this.#choose.one(this.#choose.chance(0.2) ? pseudoNames : names);
    const buffer = this.#choose.one([Number(responsePart.includes(callback)), 0, 1, 4, 5, 6, 7, 9]);
    const id = this.#id;
    return this.#choose.one<() => Operation>([
      () => ["getHeader", map, name()],
      () => ["getHeader", map, name()],
      () => ["getPairs", map],
      () => ["getHeadersSize", map],
      () => ["addHeader", map, this.#choose.one(names), this.#choose.one(values)],
      () => ["addHeader", map, this.#choose.one(names), this.#choose.one(values)],
      () => this.#replace(map),
      () => ["removeHeader", map, this.#choose.one(names)],
      () => ["setPairs", map, this.#pairs(map)],
      () => ["getBuffer", buffer, this.#choose.one([0, 0, 3, 1000]), this.#choose.one([0, 4, 100_000])],
      () => ["getBufferStatus", buffer],
      () => [
        "setBuffer",
        buffer,
        this.#choose.one([0, 0, 1, 100_000]),
        this.#choose.one([0, 3, 100_000]),
        this.#choose.one(["", "new", "<>"]),
      ],
      () => ["getProperty", this.#choose.one(properties).replaceAll(".", "\0")],
      () => ["getProperty", this.#choose.one(properties).replaceAll(".", "\0")],
      () => ["setProperty", this.#choose.one(["kept", "kept\0more"]), this.#choose.one(values)],
      () => ["defineMetric", this.#choose.one([0, 1, 2, 3]), `m${id}.${this.#choose.one(["a", "b"])}`],
      () => ["incrementMetric", this.#choose.one([1, 2, 0, -1])],
      () => ["recordMetric", this.#choose.one([0, 1, 5])],
      () => ["getMetric"],
      () => ["getShared", `k${id}.${this.#choose.one(["a", "b"])}`],
      () => [
        "setShared",
        `k${id}.${this.#choose.one(["a", "b"])}`,
        this.#choose.one(values),
        this.#choose.one(["any", "kept", "wrong"]),
      ],
      () => ["resolveQueue", this.#choose.one(["", "elsewhere"]), `q${id}.${this.#choose.one(["a", "b"])}`],
      () => ["registerQueue", `q${id}.${this.#choose.one(["a", "b"])}`],
      () => ["enqueue", this.#choose.one(values)],
      () => ["dequeue"],
      () => ["foreign", this.#choose.one(["compress", "uncompress", "nothing"]), this.#choose.one(values)],
      () => ["getStatus"],
      () => ["getLogLevel"],
      () => this.#httpCall("nowhere"),
    ])();
  }

  #map(callback: Callback): number {
    const own = { requestHeaders: 0, requestBody: 1, requestTrailers: 1, responseHeaders: 2, responseBody: 3 } as const;
    const usual = Object.hasOwn(own, callback) ? own[callback as keyof typeof own] : 3;
    return this.#choose.chance(0.7) ? usual : this.#choose.one([0, 1, 2, 3, 4, 6, 7, 8]);
  }

  #replace(map: number): Operation {
    const all: readonly (readonly [string, string])[] = [
      [":path", "/new?q=1"],
      ["host", "v"],
      [":status", "201"],
    ];
    const [name, value] = map === 0 ? this.#choose.one(all.slice(0, 2)) : this.#choose.one(all.slice(2));
    const pseudo = map === 0 || map === 2 ? this.#choose.chance(0.3) : false;
    return ["replaceHeader", map, pseudo ? name : this.#choose.one(names), value];
  }

  /** Pairs with at least those that the stream needs. */
  #pairs(map: number): Pairs {
    const request = [
      [":method", "POST"],
      [":path", "/set"],
      [":authority", "set"],
      [":scheme", "http"],
      ["x-id", String(this.#id)],
      ...(this.#choose.chance(0.8) ? [["x-forwarded-proto", "http"] as const] : []),
    ] as const;
    const needed = map === 0 ? request : map === 2 ? ([[":status", "203"]] as const) : [];
    return [...needed, ...this.#choose.some(5, () => [this.#choose.one(names), this.#choose.one(values)] as const)];
  }

  #localResponse(): Operation {
    const headers = this.#choose.some(4, () => [this.#choose.one(names), this.#choose.one(values)] as const);
    const details = this.#choose.one(["", "why", "two words"]);
    return [
      "localResponse",
      this.#choose.one([200, 403, 503, 429]),
      details,
      this.#choose.one(["", "no", "é"]),
      headers,
      this.#choose.one([-1, 7]),
    ];
  }

  #httpCall(to: string): Operation {
    const all = [
      [":method", "POST"],
      [":path", "/call"],
      [":authority", "call"],
      ["x-call", String(this.#id)],
    ] as const;
    const headers = to === callCluster || this.#choose.chance(0.5) ? all : all.slice(1);
    const trailers = this.#choose.chance(0.3) ? ([["x-end", "1"]] as const) : [];
    return ["httpCall", to, headers, this.#choose.one(["", "ask"]), trailers, this.#choose.one([5000, 0])];
  }
}
