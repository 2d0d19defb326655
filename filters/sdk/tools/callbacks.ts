import type { Transform } from "assemblyscript/asc";

/** The file of the library that exports every callback. */
const libraryPrefix = "~lib/@chancery/filter-sdk/";
const callbacksFile = `${libraryPrefix}proxy`;

interface Use {
  /** The method that the callback calls. The callback is needed when a class of the filter defines this method. */
  readonly method: string;
  /** The callback is also needed when the filter's source contains one of these words. */
  readonly words?: RegExp;
}

const httpCalls = /\bhttpCall(?:For)?\b/;
const grpcCalls = /\bgrpc(?:Call|Stream)\b/;

/** When each exported callback is needed. Every filter has those that are not listed. */
const useOf: ReadonlyMap<string, Use> = new Map<string, Use>([
  ["proxy_on_vm_start", { method: "onStart" }],
  ["proxy_validate_configuration", { method: "validateConfiguration" }],
  ["proxy_on_tick", { method: "onTick" }],
  ["proxy_on_queue_ready", { method: "onQueueReady" }],
  ["envoy_on_resolve_dns", { method: "onResolveDns" }],
  ["proxy_on_http_call_response", { method: "onHttpCallResponse", words: httpCalls }],
  [
    "proxy_on_grpc_receive_initial_metadata",
    { method: "on_grpc_receive_initial_metadata", words: /\bonInitialMetadata\b/ },
  ],
  ["proxy_on_grpc_receive", { method: "on_grpc_receive", words: grpcCalls }],
  ["proxy_on_grpc_receive_trailing_metadata", { method: "on_grpc_trailing_metadata", words: /\bonTrailingMetadata\b/ }],
  ["proxy_on_grpc_close", { method: "on_grpc_close", words: grpcCalls }],
  ["proxy_on_new_connection", { method: "onNewConnection" }],
  ["proxy_on_downstream_data", { method: "onDownstreamData" }],
  ["proxy_on_upstream_data", { method: "onUpstreamData" }],
  ["proxy_on_downstream_connection_close", { method: "onDownstreamConnectionClose" }],
  ["proxy_on_upstream_connection_close", { method: "onUpstreamConnectionClose" }],
  ["proxy_on_request_headers", { method: "onRequestHeaders" }],
  ["proxy_on_request_metadata", { method: "onRequestMetadata" }],
  ["proxy_on_request_body", { method: "onRequestBody" }],
  ["proxy_on_request_trailers", { method: "onRequestTrailers" }],
  ["proxy_on_response_headers", { method: "onResponseHeaders" }],
  ["proxy_on_response_metadata", { method: "onResponseMetadata" }],
  ["proxy_on_response_body", { method: "onResponseBody" }],
  ["proxy_on_response_trailers", { method: "onResponseTrailers" }],
  ["proxy_on_log", { method: "onLog" }],
  ["proxy_on_done", { method: "onDone" }],
]);

/**
 * A step between parsing and compiling: removes the exported callbacks whose method no class of the filter defines.
 * Each exported callback costs a call into the VM for every stream, whether or not the filter needs it.
 */
export function keepOverriddenCallbacks(): Transform {
  const transform = {
    afterParse({ sources }: { readonly sources: readonly Source[] }): void {
      const defined = new Set<string>();
      let text = "";
      for (const source of sources) {
        if (source.internalPath.startsWith(libraryPrefix)) continue;
        text += source.text;
        for (const { members } of source.statements) {
          for (const { name } of members ?? []) if (name) defined.add(name.text);
        }
      }
      for (const source of sources) {
        if (source.internalPath !== callbacksFile) continue;
        source.statements = source.statements.filter(({ name }) => {
          const use = useOf.get(name?.text ?? "");
          return use === undefined || defined.has(use.method) || use.words?.test(text) === true;
        });
      }
    },
  };
  // The compiler's abstract class has no code, and its type has members that the compiler adds later. So it is not
  // extended.
  return transform as unknown as Transform;
}

/** The part of the compiler's syntax tree that is read here. */
interface Source {
  readonly internalPath: string;
  readonly text: string;
  statements: readonly Statement[];
}

interface Statement {
  readonly name?: { readonly text: string };
  /** An index signature has no name. */
  readonly members?: readonly { readonly name?: { readonly text: string } }[] | null;
}
