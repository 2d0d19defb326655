import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";

const pollMs = 5;

/**
 * Waits until a condition holds. It holds when it returns true or undefined and does not throw. After the limit this
 * throws an error with `what` and the last value or error of the condition.
 */
export async function eventually(condition: () => unknown, what: string, limitMs = 10_000): Promise<void> {
  for (const deadline = Date.now() + limitMs; ; await delay(pollMs)) {
    let last: { readonly value: unknown } | { readonly error: unknown };
    try {
      last = { value: await condition() };
      if (last.value === true || last.value === undefined) return;
    } catch (error) {
      last = { error };
    }
    if (Date.now() < deadline) continue;
    const seen = "error" in last ? `the last error: ${String(last.error)}` : `the last value: ${inspect(last.value)}`;
    throw new Error(`Not within ${limitMs} ms: ${what}; ${seen}`, { cause: "error" in last ? last.error : undefined });
  }
}
