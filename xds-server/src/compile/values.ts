import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Address, AddressSchema } from "xds-proto-ts/envoy/config/core/v3/address";
import { type DataSource, DataSourceSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import { durationMs } from "../model/fields.ts";

/** Converts a duration such as "1.5s", which the model has validated. */
export const durationOf = (text: string): Duration => durationFromMs(durationMs(text));

export const socketAddress = (address: string, port: number): Address =>
  create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: { address, portSpecifier: { case: "portValue", value: port } },
    },
  });

/** A file that the proxy reads. */
export const file = (filename: string): DataSource =>
  create(DataSourceSchema, { specifier: { case: "filename", value: filename } });

/** The entries of a record, sorted by key, so that their order in the document does not change the bytes. */
export const sortedEntries = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));

/** JSON with sorted keys: equal values have equal texts, in whatever order their keys were. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(sortedEntries(item as Record<string, unknown>))
      : item,
  );
}
