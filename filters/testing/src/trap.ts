import type { SourceMap } from "node:module";
import { WebAssembly } from "./web-assembly.ts";

/** Stops the module inside a host call, as Envoy does for calls at the wrong time. */
export class Forbidden extends Error {}

export interface TrapFrame {
  /** The function's name, or its number when the module has no names. */
  readonly function: string;
  /** Bytes from the start of the module. */
  readonly offset: number;
  /** "assembly/index.ts:12:5". Only with a source map. */
  readonly source?: string;
}

/** Why a VM stopped. */
export interface Trap {
  /** The callback that trapped: "proxy_on_request_headers". */
  readonly callback: string;
  readonly message: string;
  /** Innermost first. */
  readonly frames: readonly TrapFrame[];
}

/** Converts an error that the module caused. Undefined for an error of the host. */
export function trapOf(callback: string, error: unknown, sourceMap: SourceMap | undefined): Trap | undefined {
  const module = error instanceof WebAssembly.RuntimeError || error instanceof Forbidden;
  const stackOverflow = error instanceof RangeError && error.message.includes("call stack");
  if (!module && !stackOverflow) return undefined;
  const frames = [
    ...(error.stack ?? "").matchAll(/at (?:(\S+) \()?wasm:\/\/\S*:wasm-function\[(\d+)\]:0x([0-9a-f]+)/g),
  ];
  return { callback, message: error.message, frames: frames.map((found) => frameOf(found, sourceMap)) };
}

/** Describes a trap as text: the callback, the message and the frames. */
export function describeTrap({ callback, message, frames }: Trap): string {
  const where = frames.map(
    ({ function: name, offset, source }) => `\n  at ${source ?? `0x${offset.toString(16)}`} (${name})`,
  );
  return `${callback} trapped: ${message}${where.join("")}`;
}

function frameOf([, name, index, hex]: RegExpMatchArray, sourceMap: SourceMap | undefined): TrapFrame {
  const frame = { function: name ?? `function ${index}`, offset: Number.parseInt(hex ?? "", 16) };
  // In a module's source map, the line is always 0 and the column is the byte offset.
  const entry = sourceMap?.findEntry(0, frame.offset);
  if (entry === undefined || !("originalSource" in entry) || entry.originalSource === undefined) return frame;
  const { originalSource, originalLine, originalColumn } = entry;
  return { ...frame, source: `${originalSource}:${originalLine + 1}:${originalColumn + 1}` };
}
