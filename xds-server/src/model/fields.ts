import { z } from "zod";
import type { ProblemCode } from "./problem-codes.ts";

/** `T` with every field read-only, at every depth. */
export type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

/** The options of a refinement that reports a stable code together with the message. */
export const fault = (code: ProblemCode, error: string) => ({ error, params: { code } });

/** The same for an issue that a check adds by itself. */
export const issue = (code: ProblemCode, message: string) => ({ message, params: { code } });

/** A field that may be left out. The description says what absence means, unless `fallback` gives a fixed default. */
export function optional<S extends z.ZodType>(schema: S, description: string, fallback?: z.input<S>) {
  return schema.optional().meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });
}

/** A field that must be present. */
export function required<S extends z.ZodType>(schema: S, description: string): S {
  return schema.meta({ description });
}

const present = (value: unknown, keys: readonly string[]): string[] =>
  typeof value === "object" && value !== null
    ? keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    : [];

const quoted = (keys: readonly string[]): string => keys.map((key) => `"${key}"`).join(", ");

/**
 * An object with exactly one of the given fields. The check also runs when other fields are faulty, so that an operator
 * sees all faults at once.
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

/** An object with at most one of the given fields. */
export function atMostOneOf<S extends z.ZodObject>(schema: S, keys: readonly (keyof S["shape"] & string)[]): S {
  return schema.refine((value) => present(value, keys).length < 2, {
    ...fault("FIELD_CONFLICT", ""),
    error: ({ input }) => `must have only one of ${quoted(present(input, keys))}`,
    when: ({ value }) => typeof value === "object",
  });
}

/** A list in which no two items have the same `keyOf`. The fault is reported at the later item. */
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
          ...issue("FIELD_DUPLICATE", `repeats "${key}", which is already in the list`),
          input: item,
        });
      }
      seen.add(key);
    }
  });
}

/** The name of a document, or a reference to one. */
export const documentName = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.:/|~@+-]*$/,
    'must start with a letter, digit or "_" and contain only letters, digits and "_.:/|~@+-"',
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
  })
  .meta({ examples: ["3s"] });

/** A duration of at least one millisecond. */
export const positiveDuration = duration.refine((text) => durationMs(text) > 0, {
  ...fault("FIELD_VALUE", "must be longer than zero"),
});

/** A port to connect to. */
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

/** A name that DNS can resolve. */
export const hostname = z
  .string()
  .min(1)
  .max(253)
  .regex(hostnamePattern, 'must be a host name such as "cart.internal"');

/** The path of a file on the proxy's machine. The proxy reads it. */
export const filePath = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\u0000-\u001f]+$/, "must be a file's path");

/** A maximum number of requests, connections or the like at one time. */
export const count = z.int().min(1).max(4_294_967_295);

/** A relative weight. */
export const weight = z.int().min(0).max(1_000_000);

/** The node group whose proxies receive a document. */
export const nodeGroupField = optional(
  documentName,
  "The node group whose proxies receive this document. When absent: every node group.",
);
