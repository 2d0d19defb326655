import {
  Context,
  FilterHeadersStatusValues,
  RootContext,
  registerRootContext,
  stream_context,
} from "@chancery/filter-sdk";

// Each path of a request is a way to fail. The numbers of the lines are in filter-sdk.test.ts.

class TrapRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new TrapStream(context_id, this);
  }
}

class TrapStream extends Context {
  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const path = stream_context.headers.request.get(":path");
    if (path === "/index") stream_context.headers.request.add("x", beyond([1], path.length).toString());
    if (path === "/divide") stream_context.headers.request.add("x", (10 / (path.length - 7)).toString());
    if (path === "/endless") {
      for (let i = 0; ; i++) {
        if (load<u32>(i & 1023) === 12345) break;
      }
    }
    if (path === "/endless-calls") {
      while (true) if (stream_context.headers.request.get(":path") === "/") break;
    }
    return FilterHeadersStatusValues.Continue;
  }
}

function beyond(list: i32[], index: i32): i32 {
  return list[index];
}

registerRootContext((context_id: u32) => new TrapRoot(context_id), "trap");
