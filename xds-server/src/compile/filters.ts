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

/** The only type that a listener accepts by ECDS. */
export const wasmTypeUrl = `type.googleapis.com/${WasmSchema.typeName}`;

/** The name of a filter's resource. */
export const filterResourceName = (filter: string): string => `filter/${filter}`;

/** The name of the resource of a filter's canary. */
export const canaryResourceName = (filter: string): string => `canary/${filter}`;

/** A listener's use of a filter: "required policy". Equal uses are equal texts. */
export type FilterUse = `${"required" | "optional" | "canary"} ${string}`;

/** The uses of a Filter. A filter that fails open is optional: requests also pass before the proxy has loaded it. */
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

/** How long a proxy waits before it loads a crashed module again. */
const reloadBackOff = "1s";

/**
 * A Filter as a resource that contains the module. Envoy fetches a remote module separately, and meanwhile passes requests
 * unfiltered. With the module inside, a swap loses no request, and no request passes before the module is there.
 */
export function buildFilter(document: Document<"Filter">, artifact: Artifact): Built {
  const message = create(TypedExtensionConfigSchema, {
    name: filterResourceName(document.name),
    typedConfig: packAny(WasmSchema, wasmConfig(document, artifact, document.spec)),
  });
  return built(document, "ECDS", TypedExtensionConfigSchema, message);
}

/** The canary of a Filter as a resource. It runs in a VM of its own. */
export function buildCanary(document: Document<"Filter">, artifact: Artifact): Built {
  const { name, spec } = document;
  const wasm = wasmConfig(document, artifact, spec.canary ?? {}, canaryResourceName(name));
  const message = create(TypedExtensionConfigSchema, {
    name: canaryResourceName(name),
    typedConfig: packAny(WasmSchema, wasm),
  });
  return built(document, "ECDS", TypedExtensionConfigSchema, message);
}

/** What happens to requests when the filter fails. The document decides, or else the module's manifest. */
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
          // All versions of the filter have the same id, so that its shared data outlives a swap of the module.
          vmId,
          runtime: "envoy.wasm.runtime.v8",
          code: { specifier: { case: "local", value: { specifier: { case: "inlineBytes", value: artifact.wasm } } } },
          ...capabilities(spec, artifact),
        },
      },
      ...configuration(configured),
      failurePolicy: failurePolicies[failure],
      // Otherwise a filter that holds the headers back does not get the body until it lets them go on.
      ...(artifact.facts.manifest?.holdsHeaders ? { allowOnHeadersStopIteration: true } : {}),
      ...(failure === "reload" ? { reloadConfig: { backoff: { baseInterval: durationOf(reloadBackOff) } } } : {}),
    },
  });
}

/** To Envoy an empty list means no restriction, so the list always has this one, which every module may export. */
const leastCapability = "proxy_on_context_create";

/** What Envoy links: the module's callbacks, and the host calls of the module that the document allows. */
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
