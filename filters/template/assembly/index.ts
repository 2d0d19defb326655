import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  parseJson,
  RootContext,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@chancery/filter-sdk";

const rejected = new Counter("my_filter.rejected");

/** There is one for each configuration. Store here everything that all requests share. */
class MyFilter extends RootContext {
  key: string = "";
  greeting: string = "";

  override onConfigure(_size: u32): bool {
    const config = parseJson(this.getConfiguration());
    this.key = config.member("key").asString();
    this.greeting = config.member("greeting").exists ? config.member("greeting").asString() : "hello";
    // False rejects the configuration: the proxy keeps the previous one.
    return acceptedConfiguration(config, "my-filter");
  }

  override createContext(context_id: u32): Context {
    return new MyStream(context_id, this);
  }
}

/** There is one for each request. Envoy calls only the callbacks that it overrides. */
class MyStream extends Context {
  private get filter(): MyFilter {
    return this.root_context as MyFilter;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    if (!headers.equals("x-key", this.filter.key)) {
      rejected.increment(1);
      send_local_response(401, "no_key", String.UTF8.encode("a key is needed\n"), [], GrpcStatusValues.InvalidCode);
      return FilterHeadersStatusValues.StopIteration;
    }
    // The upstream service must not see the key.
    headers.remove("x-key");
    return FilterHeadersStatusValues.Continue;
  }

  override onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-greeting", this.filter.greeting);
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => new MyFilter(context_id), "my-filter");
