import { Counter } from "@chancery/filter-sdk";

// These count requests.
export const hits = new Counter("token_exchange.hits");
export const misses = new Counter("token_exchange.misses");
export const shared = new Counter("token_exchange.shared");
export const denied = new Counter("token_exchange.denied");
export const missing = new Counter("token_exchange.missing");
export const unanswered = new Counter("token_exchange.unanswered");
export const overflows = new Counter("token_exchange.overflows");
// These count calls.
export const failures = new Counter("token_exchange.failures");
export const timeouts = new Counter("token_exchange.timeouts");
