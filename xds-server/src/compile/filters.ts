import { create } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { packAny } from "xds-proto-ts";
import { TypedExtensionConfigSchema } from "xds-proto-ts/envoy/config/core/v3/extension";
import { type Wasm, WasmSchema } from "xds-proto-ts/envoy/extensions/filters/http/wasm/v3/wasm";
import {
  CapabilityRestrictionConfigSchema,
  FailurePolicy,
  SanitizationConfigSchema,
} from "xds-proto-ts/envoy/extensions/wasm/v3/wasm";
import type { Artifact } from "../filter-registry/artifact.ts";
import type { Document } from "../model/document.ts";
import { type FilterSpec, filterDefaults } from "../model/filter.ts";
import { type Built, built } from "./built.ts";
import { canonicalJson, durationOf } from "./values.ts";

/** What a listener's filter chain may take by ECDS: nothing but Wasm. */
export const wasmTypeUrl = `type.googleapis.com/${WasmSchema.typeName}`;

/** The name of a filter as a resource. */
export const filterResourceName = (filter: string): string => `filter/${filter}`;

/** The name of the version that a share of the requests gets. */
export const canaryResourceName = (filter: string): string => `canary/${filter}`;

/** A listener's use of a filter, "required policy", as a text so that equal uses are equal. */
export type FilterUse = `${"required" | "optional" | "canary"} ${string}`;

/** Requests may pass without a filter that fails open, and so may those that come before it was ever loaded. */
export function filterUses(document: Document<"Filter">, artifact: Artifact | undefined): readonly FilterUse[] {
  const { name, spec } = document;
  const isOptional = artifact !== undefined && failureOf(document, artifact) === "open";
  const use: FilterUse = `${isOptional ? "optional" : "required"} ${name}`;
  return spec.canary === undefined ? [use] : [use, `canary ${name}`];
}

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
export function buildFilter(document: Document<"Filter">, artifact: Artifact): Built {
  const message = create(TypedExtensionConfigSchema, {
    name: filterResourceName(document.name),
    typedConfig: packAny(WasmSchema, wasmConfig(document, artifact, document.spec)),
  });
  return built(document, "ECDS", TypedExtensionConfigSchema, message);
}

/** The version of a Filter that a share of the requests gets, in a VM of its own. */
export function buildCanary(document: Document<"Filter">, artifact: Artifact): Built {
  const { name, spec } = document;
  const wasm = wasmConfig(document, artifact, spec.canary ?? {}, canaryResourceName(name));
  const message = create(TypedExtensionConfigSchema, {
    name: canaryResourceName(name),
    typedConfig: packAny(WasmSchema, wasm),
  });
  return built(document, "ECDS", TypedExtensionConfigSchema, message);
}

/** What becomes of requests when the filter fails: as the document says, or else as the module's author does. */
export function failureOf({ spec }: Document<"Filter">, { facts }: Artifact): keyof typeof failurePolicies {
  return spec.failure ?? facts.manifest?.failure ?? filterDefaults.failure;
}

function wasmConfig(
  document: Document<"Filter">,
  artifact: Artifact,
  configured: Pick<FilterSpec, "config">,
  vmId = filterResourceName(document.name),
): Wasm {
  const { name, spec } = document;
  const failure = failureOf(document, artifact);
  return create(WasmSchema, {
    config: {
      name,
      rootId: name,
      vm: {
        case: "vmConfig",
        value: {
          // The same for every version of the filter: what it keeps as shared data outlives a swap of its code.
          vmId,
          runtime: "envoy.wasm.runtime.v8",
          code: { specifier: { case: "local", value: { specifier: { case: "inlineBytes", value: artifact.wasm } } } },
          ...capabilities(spec, artifact),
        },
      },
      ...configuration(configured),
      failurePolicy: failurePolicies[failure],
      // Else Envoy keeps the body from a filter that stopped at the headers, for as long as it does.
      ...(artifact.facts.manifest?.holdsHeaders ? { allowOnHeadersStopIteration: true } : {}),
      ...(failure === "reload" ? { reloadConfig: { backoff: { baseInterval: durationOf(reloadBackOff) } } } : {}),
    },
  });
}

/** Envoy takes an empty list for no restriction, so there is always this one, which every module may export. */
const leastCapability = "proxy_on_context_create";

/** What Envoy links: the module's callbacks, and those of its host calls that the document allows. */
function capabilities({ capabilities: allowed }: FilterSpec, { facts }: Artifact) {
  const hostCalls = facts.hostCalls.filter((call) => allowed?.includes(call) ?? true);
  const names = [...new Set([leastCapability, ...facts.callbacks, ...hostCalls])].sort();
  const allowedCapabilities = Object.fromEntries(names.map((name) => [name, create(SanitizationConfigSchema)]));
  return { capabilityRestrictionConfig: create(CapabilityRestrictionConfigSchema, { allowedCapabilities }) };
}

function configuration({ config }: Pick<FilterSpec, "config">) {
  if (config === undefined) return {};
  return { configuration: text(config) };
}

const text = (value: unknown) => packAny(StringValueSchema, create(StringValueSchema, { value: canonicalJson(value) }));
