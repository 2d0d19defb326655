import {
  Context,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  RootContext,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@chancery/filter-sdk";

class ApiKeyRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new ApiKey(context_id, this);
  }
}

class ApiKey extends Context {
  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const key = stream_context.headers.request.get("x-api-key");
    if (key === this.root_context.getConfiguration()) return FilterHeadersStatusValues.Continue;
    send_local_response(403, "", String.UTF8.encode("denied"), [], GrpcStatusValues.InvalidCode);
    return FilterHeadersStatusValues.StopIteration;
  }
}

registerRootContext((context_id: u32) => new ApiKeyRoot(context_id), "api-key");
