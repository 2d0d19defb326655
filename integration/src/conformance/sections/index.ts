import type { Section } from "../suite.ts";
import { ackNack } from "./ack-nack.ts";
import { aliases } from "./aliases.ts";
import { basics } from "./basics.ts";
import { existence } from "./existence.ts";
import { isolation } from "./isolation.ts";
import { nonces } from "./nonces.ts";
import { ordering } from "./ordering.ts";
import { reconnecting } from "./reconnecting.ts";
import { responses } from "./responses.ts";
import { subscribing } from "./subscribing.ts";
import { ttl } from "./ttl.ts";
import { unsubscribing } from "./unsubscribing.ts";
import { updates } from "./updates.ts";
import { variants } from "./variants.ts";

/** All sections, in the document's order. */
export const sections: readonly Section[] = [
  variants,
  basics,
  ackNack,
  updates,
  subscribing,
  responses,
  existence,
  unsubscribing,
  nonces,
  ordering,
  ttl,
  reconnecting,
  aliases,
  isolation,
];
