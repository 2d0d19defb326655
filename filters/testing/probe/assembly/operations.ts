import {
  proxy_add_header_map_value,
  proxy_call_foreign_function,
  proxy_close_stream,
  proxy_continue_stream,
  proxy_define_metric,
  proxy_dequeue_shared_queue,
  proxy_enqueue_shared_queue,
  proxy_get_buffer_bytes,
  proxy_get_buffer_status,
  proxy_get_header_map_pairs,
  proxy_get_header_map_size,
  proxy_get_header_map_value,
  proxy_get_log_level,
  proxy_get_metric,
  proxy_get_property,
  proxy_get_shared_data,
  proxy_get_status,
  proxy_grpc_call,
  proxy_http_call,
  proxy_increment_metric,
  proxy_record_metric,
  proxy_register_shared_queue,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_resolve_shared_queue,
  proxy_send_local_response,
  proxy_set_buffer_bytes,
  proxy_set_header_map_pairs,
  proxy_set_property,
  proxy_set_shared_data,
} from "./env";
import { Reader } from "./script";
import { Stream } from "./stream";

const OUT: usize = memory.data(32, 8);
/** The value of a result that the host did not write. */
const UNTOUCHED: u32 = 0xaaaaaaaa;

/**
 * Makes one host call, and records its status and result. Returns the token of a call that waits for an answer, else 0.
 */
export function perform(operation: u32, script: Reader, stream: Stream): u32 {
  store<u32>(OUT, UNTOUCHED);
  store<u32>(OUT, UNTOUCHED, 4);
  store<u64>(OUT, 0, 8);
  switch (operation) {
    case 1: {
      const map = script.word();
      const name = script.text();
      return block(stream, proxy_get_header_map_value(map, name.at, name.size, OUT, OUT + 4));
    }
    case 2:
      return block(stream, proxy_get_header_map_pairs(script.word(), OUT, OUT + 4));
    case 3:
      return word(stream, proxy_get_header_map_size(script.word(), OUT));
    case 4: {
      const map = script.word();
      const name = script.text();
      const value = script.text();
      return bare(stream, proxy_add_header_map_value(map, name.at, name.size, value.at, value.size));
    }
    case 5: {
      const map = script.word();
      const name = script.text();
      const value = script.text();
      return bare(stream, proxy_replace_header_map_value(map, name.at, name.size, value.at, value.size));
    }
    case 6: {
      const map = script.word();
      const name = script.text();
      return bare(stream, proxy_remove_header_map_value(map, name.at, name.size));
    }
    case 7: {
      const map = script.word();
      const pairs = script.text();
      return bare(stream, proxy_set_header_map_pairs(map, pairs.at, pairs.size));
    }
    case 8: {
      const type = script.word();
      const start = script.word();
      return block(stream, proxy_get_buffer_bytes(type, start, script.word(), OUT, OUT + 4));
    }
    case 9:
      return word(stream, proxy_get_buffer_status(script.word(), OUT, OUT + 4));
    case 10: {
      const type = script.word();
      const start = script.word();
      const length = script.word();
      const data = script.text();
      return bare(stream, proxy_set_buffer_bytes(type, start, length, data.at, data.size));
    }
    case 11:
      return bare(stream, proxy_continue_stream(script.word()));
    case 12:
      return bare(stream, proxy_close_stream(script.word()));
    case 13: {
      const code = script.word();
      const details = script.text();
      const body = script.text();
      const headers = script.text();
      return bare(
        stream,
        proxy_send_local_response(
          code,
          details.at,
          details.size,
          body.at,
          body.size,
          headers.at,
          headers.size,
          <i32>script.word(),
        ),
      );
    }
    case 14: {
      const path = script.text();
      return block(stream, proxy_get_property(path.at, path.size, OUT, OUT + 4));
    }
    case 15: {
      const path = script.text();
      const value = script.text();
      return bare(stream, proxy_set_property(path.at, path.size, value.at, value.size));
    }
    default:
      return performShared(operation, script, stream);
  }
}

/** Metrics, shared data, queues, and calls to other services. */
function performShared(operation: u32, script: Reader, stream: Stream): u32 {
  switch (operation) {
    case 16: {
      const type = script.word();
      const name = script.text();
      const status = proxy_define_metric(type, name.at, name.size, OUT);
      if (status === 0) stream.metric = load<u32>(OUT);
      return bare(stream, status);
    }
    case 17:
      return bare(stream, proxy_increment_metric(stream.metric, <i64>(<i32>script.word())));
    case 18:
      return bare(stream, proxy_record_metric(stream.metric, script.word()));
    case 19:
      return word(stream, proxy_get_metric(stream.metric, OUT));
    case 20: {
      const key = script.text();
      const status = proxy_get_shared_data(key.at, key.size, OUT, OUT + 4, OUT + 8);
      if (status === 0) stream.cas = load<u32>(OUT, 8);
      return block(stream, status);
    }
    case 21: {
      const key = script.text();
      const value = script.text();
      const how = script.word();
      const cas = how === 0 ? 0 : how === 1 ? stream.cas : stream.cas + 1000000;
      return bare(stream, proxy_set_shared_data(key.at, key.size, value.at, value.size, cas));
    }
    case 22: {
      const name = script.text();
      const status = proxy_register_shared_queue(name.at, name.size, OUT);
      if (status === 0) stream.queue = load<u32>(OUT);
      return bare(stream, status);
    }
    case 23: {
      const vm = script.text();
      const name = script.text();
      const status = proxy_resolve_shared_queue(vm.at, vm.size, name.at, name.size, OUT);
      if (status === 0) stream.queue = load<u32>(OUT);
      return bare(stream, status);
    }
    case 24: {
      const data = script.text();
      return bare(stream, proxy_enqueue_shared_queue(stream.queue, data.at, data.size));
    }
    case 25:
      return block(stream, proxy_dequeue_shared_queue(stream.queue, OUT, OUT + 4));
    case 26: {
      const cluster = script.text();
      const headers = script.text();
      const body = script.text();
      const trailers = script.text();
      const status = proxy_http_call(
        cluster.at,
        cluster.size,
        headers.at,
        headers.size,
        body.at,
        body.size,
        trailers.at,
        trailers.size,
        script.word(),
        OUT,
      );
      bare(stream, status);
      return status === 0 ? load<u32>(OUT) : 0;
    }
    case 27: {
      const name = script.text();
      const argument = script.text();
      return block(stream, proxy_call_foreign_function(name.at, name.size, argument.at, argument.size, OUT, OUT + 4));
    }
    case 28: {
      const status = proxy_get_status(OUT + 8, OUT, OUT + 4);
      block(stream, status);
      store<u32>(OUT, load<u32>(OUT, 8));
      return word(stream, status);
    }
    case 29:
      return word(stream, proxy_get_log_level(OUT));
    case 30: {
      const service = script.text();
      const name = script.text();
      const method = script.text();
      const message = script.text();
      const status = proxy_grpc_call(
        service.at,
        service.size,
        name.at,
        name.size,
        method.at,
        method.size,
        0,
        0,
        message.at,
        message.size,
        script.word(),
        OUT,
      );
      bare(stream, status);
      return status === 0 ? load<u32>(OUT) : 0;
    }
    default:
      throw new Error("no such operation");
  }
}

function bare(stream: Stream, status: u32): u32 {
  stream.record.byte(1);
  stream.record.byte(status);
  return 0;
}

function word(stream: Stream, status: u32): u32 {
  stream.record.byte(2);
  stream.record.byte(status);
  stream.record.word(load<u32>(OUT));
  return 0;
}

/** Records bytes from the host, and frees them. */
function block(stream: Stream, status: u32): u32 {
  const at = load<usize>(OUT);
  const size = load<usize>(OUT, 4);
  stream.record.byte(3);
  stream.record.byte(status);
  if (at === UNTOUCHED || at === 0) {
    stream.record.word(<u32>at);
    stream.record.word(<u32>size);
  } else {
    stream.record.word(1);
    stream.record.block(at, size);
    heap.free(at);
  }
  return 0;
}
