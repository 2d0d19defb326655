import type { Fault } from "../model/problem.ts";

/** A fault of a YAML or JSON text. The caller chooses the code, because requests and files have different ones. */
export interface TextFault extends Omit<Fault, "code"> {
  readonly what: "syntax" | "duplicate-key" | "forbidden-key" | "too-deep";
  /** From 1. */
  readonly line: number;
}
