import {
  Context,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  RootContext,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@chancery/filter-sdk";

class ReaderRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new Reader(context_id, this);
  }
}

class Reader extends Context {
  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    let length = 0;
    let evil = false;
    for (const header = stream_context.headers.request.each(); header.next(); ) {
      const value = header.value;
      length += header.name.length + value.length;
      if (value === "evil") evil = true;
    }
    if (!evil && length < 1000000) return FilterHeadersStatusValues.Continue;
    send_local_response(403, "", String.UTF8.encode("denied"), [], GrpcStatusValues.InvalidCode);
    return FilterHeadersStatusValues.StopIteration;
  }
}

registerRootContext((context_id: u32) => new ReaderRoot(context_id), "reader");
