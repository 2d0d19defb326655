import { z } from "zod";
import { exactlyOneOf, fault, type Immutable, optional, required } from "./fields.ts";
import { formatFault } from "./format-string.ts";
import { regexFault } from "./regex.ts";

/** An RE2 regular expression that Envoy accepts. */
export const regex = z
  .string()
  .min(1)
  .max(4096)
  .refine((pattern) => regexFault(pattern) === undefined, {
    ...fault("REGEX_INVALID", ""),
    error: ({ input }) => regexFault(String(input)) ?? "",
  });

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const header = z.string().max(256);

/** The name of a header in a match. Pseudo-headers such as `:method` are allowed. */
const headerName = header.regex(new RegExp(`^:?${token}$`), "must be a header name");

/** The name of a header to change. Envoy does not allow changes to pseudo-headers such as `:path`, or to `host`, here. */
const editableHeaderName = header
  .regex(new RegExp(`^${token}$`), "must be a header name that does not begin with a colon")
  .refine((name) => name.toLowerCase() !== "host", {
    ...fault("FIELD_VALUE", 'must not be "host": use rewrite.host'),
  });

/** A header's value. Control characters are not allowed, except the tab. */
const headerText = z
  .string()
  .max(16_384)
  .regex(/^[^\u0000-\u0008\u000a-\u001f\u007f]*$/, "must not contain control characters");

/** A header's value to set or add. Not empty, because Envoy omits a header without a value. */
const headerValue = headerText.min(1).refine((text) => formatFault(text) === undefined, {
  ...fault("HEADER_FORMAT_INVALID", ""),
  error: ({ input }) => `is not a format that Envoy accepts: ${formatFault(String(input))}`,
});

const stringMatch = {
  exact: optional(headerText, "The value equals this text."),
  prefix: optional(headerText.min(1), "The value begins with this text."),
  suffix: optional(headerText.min(1), "The value ends with this text."),
  contains: optional(headerText.min(1), "The value contains this text."),
  regex: optional(regex, "The whole value matches this RE2 expression."),
  present: optional(z.boolean(), "`true`: it is present, with any value. `false`: it is absent."),
};
const conditions = ["exact", "prefix", "suffix", "contains", "regex", "present"] as const;

export const headerMatchSchema = exactlyOneOf(
  z.strictObject({
    name: required(headerName, "The header's name. Upper and lower case are equal."),
    ...stringMatch,
    invert: optional(z.boolean(), "Match when the condition does not hold.", false),
  }),
  conditions,
);

export const queryMatchSchema = exactlyOneOf(
  z.strictObject({ name: required(z.string().min(1).max(1024), "The query parameter's name."), ...stringMatch }),
  conditions,
);

const maxEdits = 100;

const headerValues = z
  .record(editableHeaderName, headerValue)
  .refine((headers) => Object.keys(headers).length <= maxEdits, {
    ...fault("FIELD_VALUE", `must have at most ${maxEdits} headers`),
  });

export const headerEditsSchema = z.strictObject({
  set: optional(
    headerValues,
    "Headers to set. A new value replaces the existing ones. A value may contain Envoy's substitutions, such as `%DOWNSTREAM_REMOTE_ADDRESS%`; write `%%` for a percent sign.",
  ),
  add: optional(headerValues, "Headers to add. Existing values stay. Values may contain the same substitutions."),
  remove: optional(z.array(editableHeaderName).max(maxEdits), "Names of headers to remove."),
});

export type StringMatch = Immutable<z.infer<typeof queryMatchSchema>>;
export type HeaderMatch = Immutable<z.infer<typeof headerMatchSchema>>;
export type HeaderEdits = Immutable<z.infer<typeof headerEditsSchema>>;
