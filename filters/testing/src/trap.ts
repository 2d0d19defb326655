import type { SourceMap } from "node:module";
import { WebAssembly } from "./web-assembly.ts";

/** Ends the module's run from inside a host call, as Envoy does for calls at the wrong time. */
export class Forbidden extends Error {}

export interface TrapFrame {
  /** The function's name, where the module has names. */
  readonly function: string;
  /** Bytes from the start of the module. */
  readonly offset: number;
  /** "assembly/index.ts:12:5", where a source map is at hand. */
  readonly source?: string;
}

/** Why a VM does not run any more. */
export interface Trap {
  /** What was called: "proxy_on_request_headers". */
  readonly callback: string;
  readonly message: string;
  /** Innermost first. */
  readonly frames: readonly TrapFrame[];
}

/** An error that the module itself is to blame for; undefined for one of the host. */
export function trapOf(callback: string, error: unknown, sourceMap: SourceMap | undefined): Trap | undefined {
  const module = error instanceof WebAssembly.RuntimeError || error instanceof Forbidden;
  const stackOverflow = error instanceof RangeError && error.message.includes("call stack");
  if (!module && !stackOverflow) return undefined;
  const frames = [
    ...(error.stack ?? "").matchAll(/at (?:(\S+) \()?wasm:\/\/\S*:wasm-function\[(\d+)\]:0x([0-9a-f]+)/g),
  ];
  return { callback, message: error.message, frames: frames.map((found) => frameOf(found, sourceMap)) };
}

/** As one text: what happened, in which callback, and where. */
export function describeTrap({ callback, message, frames }: Trap): string {
  const where = frames.map(
    ({ function: name, offset, source }) => `\n  at ${source ?? `0x${offset.toString(16)}`} (${name})`,
  );
  return `${callback} trapped: ${message}${where.join("")}`;
}

function frameOf([, name, index, hex]: RegExpMatchArray, sourceMap: SourceMap | undefined): TrapFrame {
  const frame = { function: name ?? `function ${index}`, offset: Number.parseInt(hex ?? "", 16) };
  // A module has one line; its columns are bytes.
  const entry = sourceMap?.findEntry(0, frame.offset);
  if (entry === undefined || !("originalSource" in entry) || entry.originalSource === undefined) return frame;
  const { originalSource, originalLine, originalColumn } = entry;
  return { ...frame, source: `${originalSource}:${originalLine + 1}:${originalColumn + 1}` };
}
