import { name, Reader, type Section, section, sectionId, u32 } from "./wasm-binary.ts";
import type { Module } from "./wasm-module.ts";

/** The function names in a module's section "name" (WebAssembly specification, appendix, 7.4). */
export function functionNames({ wasm, sections }: Module): Map<number, string> {
  const names = new Map<number, string>();
  for (const { id, contents, end } of sections) {
    const reader = new Reader(wasm, contents);
    if (id !== sectionId.custom || reader.name() !== "name") continue;
    while (reader.at < end) {
      const kind = reader.byte();
      const next = reader.u32() + reader.at;
      if (kind === 1) for (let left = reader.u32(); left > 0; left--) names.set(reader.u32(), reader.name());
      reader.at = next;
    }
  }
  return names;
}

/** A section "name" with only function names. */
export function nameSection(names: ReadonlyMap<number, string>): Uint8Array {
  const sorted = [...names].sort(([a], [b]) => a - b);
  const entries = sorted.flatMap(([index, text]) => [...u32(index), ...name(text)]);
  const functions = section(1, [...u32(sorted.length), ...entries]);
  return section(sectionId.custom, [Uint8Array.from(name("name")), functions]);
}

/** True for a custom section with this name. */
export function isCalled({ wasm }: Module, { id, contents }: Section, called: string): boolean {
  return id === sectionId.custom && new Reader(wasm, contents).name() === called;
}
