import { create } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { packAny } from "xds-proto-ts";
import { TypedExtensionConfigSchema } from "xds-proto-ts/envoy/config/core/v3/extension";
import { type Wasm, WasmSchema } from "xds-proto-ts/envoy/extensions/filters/http/wasm/v3/wasm";
import { FailurePolicy } from "xds-proto-ts/envoy/extensions/wasm/v3/wasm";
import type { Artifact } from "../filter-registry/catalog.ts";
import type { Document } from "../model/document.ts";
import { type FilterSpec, filterDefaults } from "../model/filter.ts";
import { type Built, built } from "./built.ts";
import { canonicalJson, durationOf } from "./values.ts";

/** What a listener's filter chain may take by ECDS: nothing but Wasm. */
export const wasmTypeUrl = `type.googleapis.com/${WasmSchema.typeName}`;

/** The name of a filter as a resource. */
export const filterResourceName = (filter: string): string => `filter/${filter}`;

const failurePolicies = {
  closed: FailurePolicy.FAIL_CLOSED,
  open: FailurePolicy.FAIL_OPEN,
  reload: FailurePolicy.FAIL_RELOAD,
} as const;

/** How long a proxy waits before it loads a crashed module anew. */
const reloadBackOff = "1s";

/**
 * A Filter as a resource, with its module inside: only then does a swap lose no request, and a module that is not
 * there yet let none pass (Envoy goes on unfiltered while it fetches a remote one).
 */
export function buildFilter(document: Document<"Filter">, { wasm }: Artifact): Built {
  const message = create(TypedExtensionConfigSchema, {
    name: filterResourceName(document.name),
    typedConfig: packAny(WasmSchema, wasmConfig(document, wasm)),
  });
  return built(document, "ECDS", TypedExtensionConfigSchema, message);
}

function wasmConfig({ name, spec }: Document<"Filter">, wasm: Uint8Array): Wasm {
  const { failure = filterDefaults.failure } = spec;
  return create(WasmSchema, {
    config: {
      name,
      rootId: name,
      vm: {
        case: "vmConfig",
        value: {
          // The same for every version of the filter: what it keeps as shared data outlives a swap of its code.
          vmId: filterResourceName(name),
          runtime: "envoy.wasm.runtime.v8",
          code: { specifier: { case: "local", value: { specifier: { case: "inlineBytes", value: wasm } } } },
        },
      },
      ...configuration(spec),
      failurePolicy: failurePolicies[failure],
      ...(failure === "reload" ? { reloadConfig: { backoff: { baseInterval: durationOf(reloadBackOff) } } } : {}),
    },
  });
}

function configuration({ config }: FilterSpec) {
  if (config === undefined) return {};
  const value = create(StringValueSchema, { value: canonicalJson(config) });
  return { configuration: packAny(StringValueSchema, value) };
}
