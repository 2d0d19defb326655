export type Callbacks = Readonly<Record<string, ((...values: number[]) => number) | undefined>>;

/** A started and configured module. Its host answers each call at once, always with the same value. */
export interface Opened {
  readonly callbacks: Callbacks;
  /** The current size of its memory, in pages of 64 KiB. */
  pages(): number;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

interface Engine {
  readonly Module: new (wasm: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };

const headers: readonly (readonly [string, string])[] = [
  [":authority", "127.0.0.1:10000"],
  [":path", "/api/v1/items?id=7"],
  [":method", "GET"],
  [":scheme", "http"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"],
  ["accept", "application/json, text/plain, */*"],
  ["accept-encoding", "gzip, deflate, br"],
  ["accept-language", "en-US,en;q=0.5"],
  ["authorization", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl"],
  ["cookie", "session=5f2c7b1e9a; theme=dark"],
  ["x-api-key", "s3cr3t-key-0123456789"],
  ["x-tenant", "acme"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ["referer", "https://example.com/app"],
  ["x-forwarded-proto", "http"],
  ["x-request-id", "1"],
];

export function openModule(wasm: Uint8Array, configuration: string): Opened {
  const configured = Buffer.from(configuration);
  const values = new Map(headers.map(([name, value]) => [name, Buffer.from(value)]));
  const pairs = encoded(headers);
  const status = Buffer.from("200");
  const bucket = Buffer.alloc(16);
  const rootId = Buffer.from("x");
  let callbacks: Callbacks = {};
  let memory: Memory = { buffer: new ArrayBuffer(0) };
  let bytes = Buffer.alloc(0);
  const look = (): void => {
    if (bytes.buffer !== memory.buffer) bytes = Buffer.from(memory.buffer);
  };
  const write = (value: number, at: number): number => {
    look();
    bytes.writeUInt32LE(value, at);
    return 0;
  };
  const give = (data: Buffer, pointer: number, size: number): number => {
    const allocate = callbacks["proxy_on_memory_allocate"] ?? callbacks["malloc"];
    const at = allocate?.(data.length) ?? 0;
    look();
    data.copy(bytes, at);
    bytes.writeUInt32LE(at, pointer);
    bytes.writeUInt32LE(data.length, size);
    return 0;
  };
  const env: Record<string, (...values: number[]) => number> = {
    proxy_get_header_map_pairs: (_map = 0, pointer = 0, size = 0) => give(pairs, pointer, size),
    proxy_get_header_map_value: (map = 0, name = 0, length = 0, pointer = 0, size = 0) => {
      look();
      const value = map === 2 ? status : values.get(bytes.toString("latin1", name, name + length));
      return value === undefined ? 1 : give(value, pointer, size);
    },
    proxy_get_buffer_bytes: (_type = 0, _start = 0, _length = 0, pointer = 0, size = 0) =>
      give(configured, pointer, size),
    proxy_get_property: (_path = 0, _length = 0, pointer = 0, size = 0) => give(rootId, pointer, size),
    proxy_get_log_level: (level = 0) => write(3, level),
    proxy_get_current_time_nanoseconds: (time = 0) => write(5, time),
    proxy_define_metric: (_type = 0, _name = 0, _length = 0, id = 0) => write(3, id),
    proxy_get_shared_data: (_key = 0, _length = 0, pointer = 0, size = 0, cas = 0) => {
      give(bucket, pointer, size);
      return write(3, cas);
    },
  };
  const answersOk = { get: (own: typeof env, name: string) => own[name] ?? (() => 0) };
  const imports = {
    env: new Proxy(env, answersOk),
    wasi_snapshot_preview1: new Proxy({}, answersOk),
    wasi_unstable: new Proxy({}, answersOk),
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), imports);
  callbacks = exports as Callbacks;
  memory = (exports as { readonly memory: Memory }).memory;
  (callbacks["_initialize"] ?? callbacks["_start"])?.();
  callbacks["proxy_on_context_create"]?.(1, 0);
  callbacks["proxy_on_vm_start"]?.(1, 0);
  callbacks["proxy_on_configure"]?.(1, configured.length);
  return { callbacks, pages: () => memory.buffer.byteLength / 65_536 };
}

/** Encodes headers as the ABI demands. */
function encoded(list: typeof headers): Buffer {
  const sizes = Buffer.alloc(4 + 8 * list.length);
  sizes.writeUInt32LE(list.length);
  list.forEach(([name, value], at) => {
    sizes.writeUInt32LE(name.length, 4 + 8 * at);
    sizes.writeUInt32LE(value.length, 8 + 8 * at);
  });
  return Buffer.concat([sizes, ...list.map(([name, value]) => Buffer.from(`${name}\0${value}\0`))]);
}
