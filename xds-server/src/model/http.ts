import { z } from "zod";
import { exactlyOneOf, fault, type Immutable, optional, required } from "./fields.ts";
import { formatFault } from "./format-string.ts";
import { regexFault } from "./regex.ts";

/** An RE2 regular expression that Envoy takes. */
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

/** The name of a header that a request is matched by; `:method` and its like are allowed. */
const headerName = header.regex(new RegExp(`^:?${token}$`), "must be a header name");

/** The name of a header that is changed. Envoy lets no one change `:path` and its like, nor `host`, this way. */
const editableHeaderName = header
  .regex(new RegExp(`^${token}$`), "must be a header name that does not begin with a colon")
  .refine((name) => name.toLowerCase() !== "host", {
    ...fault("FIELD_VALUE", 'must not be "host": use rewrite.host'),
  });

/** A header's text, without control characters (a tab is none). */
const headerText = z
  .string()
  .max(16_384)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is rejected
  .regex(/^[^\u0000-\u0008\u000a-\u001f\u007f]*$/, "must not hold control characters");

/** Envoy leaves out a header without a value. */
const headerValue = headerText.min(1).refine((text) => formatFault(text) === undefined, {
  ...fault("HEADER_FORMAT_INVALID", ""),
  error: ({ input }) => `is no format that Envoy takes: ${formatFault(String(input))}`,
});

const stringMatch = {
  exact: optional(headerText, "The whole value."),
  prefix: optional(headerText.min(1), "How the value begins."),
  suffix: optional(headerText.min(1), "How the value ends."),
  contains: optional(headerText.min(1), "What stands somewhere in the value."),
  regex: optional(regex, "An RE2 expression that the whole value matches."),
  present: optional(z.boolean(), "true: it is there, with any value. false: it is not there."),
};
const conditions = ["exact", "prefix", "suffix", "contains", "regex", "present"] as const;

export const headerMatchSchema = exactlyOneOf(
  z.strictObject({
    name: required(headerName, "The header's name, in any case."),
    ...stringMatch,
    invert: optional(z.boolean(), "Match where the condition does not hold.", false),
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
    "Headers to put in place of what is there. A value may hold Envoy's substitutions: `%DOWNSTREAM_REMOTE_ADDRESS%`; a percent sign is `%%`.",
  ),
  add: optional(headerValues, "Headers to add to what is there, with the same substitutions."),
  remove: optional(z.array(editableHeaderName).max(maxEdits), "Headers to take away."),
});

export type StringMatch = Immutable<z.infer<typeof queryMatchSchema>>;
export type HeaderMatch = Immutable<z.infer<typeof headerMatchSchema>>;
export type HeaderEdits = Immutable<z.infer<typeof headerEditsSchema>>;
