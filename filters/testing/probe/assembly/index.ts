// A filter that runs the script of each request, and records the result of every host call. A request with the header
// x-report is answered with the records of all streams that have ended. src/probe.ts writes scripts and reads records.

import { proxy_get_header_map_value, proxy_log, proxy_send_local_response, proxy_set_effective_context } from "./env";
import { perform } from "./operations";
import { Reader, Writer } from "./script";
import { Stream } from "./stream";

const REQUEST_HEADERS = 1;
const REQUEST_BODY = 2;
const REQUEST_TRAILERS = 3;
const RESPONSE_HEADERS = 4;
const RESPONSE_BODY = 5;
const RESPONSE_TRAILERS = 6;
const LOG = 7;
const DONE = 8;
const DELETE = 9;
const HTTP_CALL = 10;
const GRPC_RECEIVE = 11;
const GRPC_CLOSE = 12;

const streams = new Map<u32, Stream>();
const owners = new Map<u32, u32>();
let ended = new Writer();
const OUT: usize = memory.data(16, 8);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}

export function abort(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  if (parent !== 0) streams.set(context, new Stream());
}

export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 {
  const stream = streams.get(context);
  if (header("x-report")) return report();
  if (header("x-script")) stream.begin(load<usize>(OUT), load<usize>(OUT, 4));
  return run(context, REQUEST_HEADERS, count, end);
}

export function proxy_on_request_body(context: u32, size: u32, end: u32): u32 {
  return run(context, REQUEST_BODY, size, end);
}

export function proxy_on_request_trailers(context: u32, count: u32): u32 {
  return run(context, REQUEST_TRAILERS, count, 0);
}

export function proxy_on_response_headers(context: u32, count: u32, end: u32): u32 {
  return run(context, RESPONSE_HEADERS, count, end);
}

export function proxy_on_response_body(context: u32, size: u32, end: u32): u32 {
  return run(context, RESPONSE_BODY, size, end);
}

export function proxy_on_response_trailers(context: u32, count: u32): u32 {
  return run(context, RESPONSE_TRAILERS, count, 0);
}

export function proxy_on_http_call_response(_root: u32, token: u32, headers: u32, body: u32, trailers: u32): void {
  if (!owners.has(token)) return;
  const context = owners.get(token);
  owners.delete(token);
  if (!streams.has(context)) return;
  proxy_set_effective_context(context);
  run(context, HTTP_CALL, headers, (body << 8) | trailers);
}

export function proxy_on_grpc_receive(_root: u32, token: u32, size: u32): void {
  if (!owners.has(token)) return;
  const context = owners.get(token);
  if (!streams.has(context)) return;
  proxy_set_effective_context(context);
  run(context, GRPC_RECEIVE, size, 0);
}

export function proxy_on_grpc_close(_root: u32, token: u32, status: u32): void {
  if (!owners.has(token)) return;
  const context = owners.get(token);
  if (!streams.has(context)) return;
  proxy_set_effective_context(context);
  run(context, GRPC_CLOSE, status, 0);
}

export function proxy_on_log(context: u32): void {
  run(context, LOG, 0, 0);
}

export function proxy_on_done(context: u32): u32 {
  if (streams.has(context)) run(context, DONE, 0, 0);
  return 1;
}

export function proxy_on_delete(context: u32): void {
  if (!streams.has(context)) return;
  run(context, DELETE, 0, 0);
  const stream = streams.get(context);
  if (stream.scripted) {
    ended.word(stream.id);
    ended.block(stream.record.at, stream.record.size);
  }
  streams.delete(context);
}

function run(context: u32, callback: u32, first: u32, second: u32): u32 {
  const stream = streams.get(context);
  if (!stream.scripted) return 0;
  stream.record.byte(callback);
  stream.record.word(first);
  stream.record.word(second);
  const section = stream.section(callback);
  const answer = section ? operations(stream, section, context) : 0;
  stream.record.byte(0);
  return answer;
}

function operations(stream: Stream, section: Reader, context: u32): u32 {
  let answer: u32 = 0;
  while (section.at < section.end) {
    const operation = section.byte();
    if (operation === 0) answer = section.word();
    else {
      const token = perform(operation, section, stream);
      if (token !== 0) owners.set(token, context);
    }
  }
  return answer;
}

function header(name: string): bool {
  const bytes = String.UTF8.encode(name);
  return proxy_get_header_map_value(0, changetype<usize>(bytes), bytes.byteLength, OUT, OUT + 4) === 0;
}

function report(): u32 {
  const records = ended;
  ended = new Writer();
  if (proxy_send_local_response(200, 0, 0, records.at, records.size, 0, 0, -1) !== 0) proxy_log(4, 0, 0);
  return 1;
}
