import { clone, create, type MessageInitShape } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { packAny } from "xds-proto-ts";
import { MetadataSchema, RuntimeFractionalPercentSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import { FilterConfigSchema, type Route, RouteSchema } from "xds-proto-ts/envoy/config/route/v3/route_components";
import { FractionalPercent_DenominatorType as Denominator } from "xds-proto-ts/envoy/type/v3/percent";
import type { Document } from "../model/document.ts";
import type { CanarySpec } from "../model/filter.ts";
import type { Mesh } from "../model/mesh.ts";
import { canaryResourceName, filterResourceName } from "./filters.ts";

/** The share of the requests, in millionths, that gets the canary of a filter: "10000 policy". Equal shares are equal texts. */
export type CanaryShare = `${number} ${string}`;

function canaryShareOf({ name }: Document<"Filter">, { percent }: CanarySpec): CanaryShare {
  return `${Math.round(percent * 10_000)} ${name}`;
}

/** The canary of each listener, by the listener's name. `referenceProblems` reports a second canary in one listener. */
export function canariesByListener(mesh: Mesh): ReadonlyMap<string, CanaryShare> {
  const canaries = new Map<string, CanaryShare>();
  for (const document of mesh.all("Filter").values()) {
    const { canary, listeners } = document.spec;
    if (canary === undefined) continue;
    for (const listener of listeners) canaries.set(listener, canaryShareOf(document, canary));
  }
  return canaries;
}

/**
 * The name of a listener's routes while one of its filters has a canary. It is another name than without a canary: older
 * connections of the listener have no canary filter, and keep the routes that they had.
 */
export const canaryRoutesName = (listener: string): string => `${listener}~canary`;

/** The metadata that marks the requests that get the canary: its namespace, its key and its value. */
export const variantMetadata = { filter: "chancery", key: "variant", canary: "canary" };

/** Two routes for one. The first matches the share of the requests that gets the canary, the second matches the rest. */
export function withCanary(route: Route, share: CanaryShare): readonly Route[] {
  const at = share.indexOf(" ");
  const name = share.slice(at + 1);
  const forCanary = clone(RouteSchema, route);
  if (forCanary.match === undefined) return [route];
  const defaultValue = { numerator: Number(share.slice(0, at)), denominator: Denominator.MILLION };
  forCanary.match.runtimeFraction = create(RuntimeFractionalPercentSchema, { defaultValue });
  forCanary.metadata = create(MetadataSchema, {
    filterMetadata: { [variantMetadata.filter]: { [variantMetadata.key]: variantMetadata.canary } },
  });
  forCanary.typedPerFilterConfig[filterResourceName(name)] = filterConfig({ disabled: true });
  // An empty configuration enables the filter, which the listener disables.
  forCanary.typedPerFilterConfig[canaryResourceName(name)] = filterConfig({ config: create(AnySchema) });
  return [forCanary, route];
}

const filterConfig = (config: MessageInitShape<typeof FilterConfigSchema>) =>
  packAny(FilterConfigSchema, create(FilterConfigSchema, config));
