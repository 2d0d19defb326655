// The numbers of proxy-wasm ABI 0.2.1: https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1

/** The result of a host call. */
export const status = {
  ok: 0,
  notFound: 1,
  badArgument: 2,
  serializationFailure: 3,
  parseFailure: 4,
  badExpression: 5,
  invalidMemoryAccess: 6,
  empty: 7,
  casMismatch: 8,
  resultMismatch: 9,
  internalFailure: 10,
  brokenConnection: 11,
  unimplemented: 12,
} as const;

export const headerMap = {
  requestHeaders: 0,
  requestTrailers: 1,
  responseHeaders: 2,
  responseTrailers: 3,
  grpcInitialMetadata: 4,
  grpcTrailingMetadata: 5,
  httpCallHeaders: 6,
  httpCallTrailers: 7,
} as const;

export const bufferType = {
  requestBody: 0,
  responseBody: 1,
  downstreamData: 2,
  upstreamData: 3,
  httpCallBody: 4,
  grpcMessage: 5,
  vmConfiguration: 6,
  pluginConfiguration: 7,
  callData: 8,
} as const;

export const streamType = { request: 0, response: 1, downstream: 2, upstream: 3 } as const;

/** The results of a headers callback. A number above the last one counts as the last one. */
export const headersStatus = {
  continue: 0,
  stop: 1,
  continueAndEnd: 2,
  stopAllBuffer: 3,
  stopAllWatermark: 4,
} as const;

/** The results of a body callback. A number above the last one counts as the last one. */
export const dataStatus = { continue: 0, stopAndBuffer: 1, stopAndWatermark: 2, stopNoBuffer: 3 } as const;

export const metricType = { counter: 0, gauge: 1, histogram: 2 } as const;

export const logLevels = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof logLevels)[number];
