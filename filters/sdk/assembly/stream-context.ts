import { HeaderStreamManipulator } from "./headers";
import { HeaderMapTypeValues } from "./values";

@final
class HeaderMapManipulator {
  request: HeaderStreamManipulator;
  response: HeaderStreamManipulator;
  /** Those of an HTTP call's response, while its callback runs. */
  http_callback: HeaderStreamManipulator;

  constructor(request: HeaderMapTypeValues, response: HeaderMapTypeValues, http_callback: HeaderMapTypeValues) {
    this.request = new HeaderStreamManipulator(request);
    this.response = new HeaderStreamManipulator(response);
    this.http_callback = new HeaderStreamManipulator(http_callback);
  }
}

@final
class GrpcMetadata {
  initial: HeaderStreamManipulator = new HeaderStreamManipulator(HeaderMapTypeValues.GrpcReceiveInitialMetadata);
  trailing: HeaderStreamManipulator = new HeaderStreamManipulator(HeaderMapTypeValues.GrpcReceiveTrailingMetadata);
}

@final
class StreamContext {
  headers: HeaderMapManipulator = new HeaderMapManipulator(
    HeaderMapTypeValues.RequestHeaders,
    HeaderMapTypeValues.ResponseHeaders,
    HeaderMapTypeValues.HttpCallResponseHeaders,
  );
  trailers: HeaderMapManipulator = new HeaderMapManipulator(
    HeaderMapTypeValues.RequestTrailers,
    HeaderMapTypeValues.ResponseTrailers,
    HeaderMapTypeValues.HttpCallResponseTrailers,
  );
}

/** The headers and trailers of the running callback's stream. */
export const stream_context = new StreamContext();

/** The metadata of a gRPC call's answer, while its callback runs. */
export const grpc_metadata = new GrpcMetadata();
