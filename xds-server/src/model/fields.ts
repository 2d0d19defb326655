import { z } from "zod";

/** A spec as its readers see it: nothing in it is ever changed. */
export type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

/** What a refinement of ours reports: a stable code beside the sentence. */
export const fault = (code: string, error: string) => ({ error, params: { code } });

/** A field that may be left out. The description says what absence means; a fixed default is given as such. */
export function optional<S extends z.ZodType>(schema: S, description: string, fallback?: z.input<S>) {
  return schema.optional().meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });
}

/** A field that must be there. */
export function required<S extends z.ZodType>(schema: S, description: string): S {
  return schema.meta({ description });
}

const present = (value: unknown, keys: readonly string[]): string[] =>
  typeof value === "object" && value !== null
    ? keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    : [];

const quoted = (keys: readonly string[]): string => keys.map((key) => `"${key}"`).join(", ");

/**
 * An object in which exactly one of some fields stands. Checked even where other fields are faulty, so that an
 * operator sees all faults at once.
 */
export function exactlyOneOf<S extends z.ZodObject>(schema: S, keys: readonly (keyof S["shape"] & string)[]): S {
  const checked = schema
    .refine((value) => present(value, keys).length > 0, {
      ...fault("FIELD_MISSING", `must have exactly one of ${quoted(keys)}`),
      when: ({ value }) => typeof value === "object",
    })
    .refine((value) => present(value, keys).length < 2, {
      ...fault("FIELD_CONFLICT", ""),
      error: ({ input }) => `must have only one of ${quoted(present(input, keys))}`,
      when: ({ value }) => typeof value === "object",
    });
  return checked.meta({ oneOf: keys.map((key) => ({ required: [key] })) });
}

/** An object in which at most one of some fields stands. */
export function atMostOneOf<S extends z.ZodObject>(schema: S, keys: readonly (keyof S["shape"] & string)[]): S {
  return schema.refine((value) => present(value, keys).length < 2, {
    ...fault("FIELD_CONFLICT", ""),
    error: ({ input }) => `must have only one of ${quoted(present(input, keys))}`,
    when: ({ value }) => typeof value === "object",
  });
}

/** A list without repetitions, told apart by `keyOf`. The fault stands at the later one. */
export function distinct<S extends z.ZodType>(
  list: z.ZodArray<S>,
  keyOf: (item: z.infer<S>) => string = String,
): z.ZodArray<S> {
  return list.superRefine((items, context) => {
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      const key = keyOf(item);
      if (seen.has(key)) {
        context.addIssue({
          code: "custom",
          path: [index],
          message: `repeats "${key}", which stands in the list already`,
          params: { code: "FIELD_DUPLICATE" },
          input: item,
        });
      }
      seen.add(key);
    }
  });
}

/** The name of a document, and of what documents refer to. */
export const documentName = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.:/|~@+-]*$/,
    'must start with a letter, digit or "_" and hold only letters, digits and "_.:/|~@+-"',
  );

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;
const maxDurationMs = 24 * 3_600_000;

/** The milliseconds of a duration such as "250ms", "1.5s" or "2m". */
export function durationMs(text: string): number {
  const [, amount = "", unit = ""] = durationPattern.exec(text) ?? [];
  return Number(amount) * (milliseconds[unit] ?? Number.NaN);
}

/** A duration from 0 to 24 hours, in whole milliseconds. */
export const duration = z
  .string()
  .regex(durationPattern, 'must be a duration such as "250ms", "1.5s", "2m" or "1h"')
  .refine((text) => Number.isInteger(durationMs(text)) && durationMs(text) <= maxDurationMs, {
    ...fault("FIELD_VALUE", "must be whole milliseconds and at most 24 hours"),
  });

/** A duration that must last: at least one millisecond. */
export const positiveDuration = duration.refine((text) => durationMs(text) > 0, {
  ...fault("FIELD_VALUE", "must be longer than zero"),
});

/** A port that something listens on. */
export const port = z.int().min(1).max(65_535);

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();

export const isIpAddress = (text: string): boolean => ipv4.safeParse(text).success || ipv6.safeParse(text).success;

/** An IPv4 or IPv6 address. */
export const ipAddress = z
  .string()
  .max(45)
  .refine(isIpAddress, { ...fault("FIELD_VALUE", 'must be an IP address such as "127.0.0.1" or "::1"') });

const label = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const hostnamePattern = new RegExp(`^${label}(?:\\.${label})*\\.?$`);

/** A name that DNS can look up. */
export const hostname = z
  .string()
  .min(1)
  .max(253)
  .regex(hostnamePattern, 'must be a host name such as "cart.internal"');

/** A file on the machine of the proxy, which reads it. */
export const filePath = z
  .string()
  .min(1)
  .max(4096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is rejected
  .regex(/^[^\u0000-\u001f]+$/, "must be a file's path");

/** How many requests, connections or the like may be there at once. */
export const count = z.int().min(1).max(4_294_967_295);

/** A relative weight. */
export const weight = z.int().min(0).max(1_000_000);

/** The node group whose proxies get a document. */
export const nodeGroupField = optional(
  documentName,
  "The node group whose proxies get this. Every node group when absent.",
);
