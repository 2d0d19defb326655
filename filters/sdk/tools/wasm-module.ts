import { Reader, type Section, sectionId, sectionsOf } from "./wasm-binary.ts";
import { type Instruction, instructionsOf } from "./wasm-code.ts";

/** The parts of a module that the tools read. Imported functions and globals have the first indexes. */
export interface Module {
  readonly wasm: Uint8Array;
  readonly sections: readonly Section[];
  readonly types: readonly FunctionType[];
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  /** The type of each function that the module defines. */
  readonly functionTypes: readonly number[];
  readonly definedGlobals: number;
  readonly exports: readonly Export[];
  /** The functions in tables. An indirect call can reach them. */
  readonly tabled: ReadonlySet<number>;
  readonly bodies: readonly Body[];
}

export interface FunctionType {
  /** The number of parameters. */
  readonly parameters: number;
  readonly results: number;
}

export interface Export {
  readonly name: string;
  /** 0 is a function. */
  readonly kind: number;
  readonly index: number;
}

/** One function body of the code section. */
export interface Body {
  /** The position after the body's size. */
  readonly start: number;
  /** The position after the declarations of locals. */
  readonly code: number;
  readonly end: number;
  /** The number of groups of locals, and the number of all locals. */
  readonly localGroups: number;
  readonly locals: number;
  readonly instructions: readonly Instruction[];
}

export function readModule(wasm: Uint8Array): Module {
  const sections = sectionsOf(wasm);
  const imports = { functions: 0, globals: 0 };
  forEach(wasm, sections, sectionId.import, (reader) => {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 0) imports.functions++;
    if (kind === 3) imports.globals++;
    skipImportType(reader, kind);
  });
  const types: FunctionType[] = [];
  forEach(wasm, sections, sectionId.type, (reader) => {
    if (reader.byte() !== 0x60) throw new RangeError("a type is not a function type");
    const parameters = skipTypes(reader);
    types.push({ parameters, results: skipTypes(reader) });
  });
  const functionTypes: number[] = [];
  forEach(wasm, sections, sectionId.function, (reader) => functionTypes.push(reader.u32()));
  const exports: Export[] = [];
  forEach(wasm, sections, sectionId.export, (reader) => {
    exports.push({ name: reader.name(), kind: reader.byte(), index: reader.u32() });
  });
  const globals = sections.find(({ id }) => id === sectionId.global);
  const bodies: Body[] = [];
  forEach(wasm, sections, sectionId.code, (reader) => bodies.push(bodyAt(reader)));
  return {
    wasm,
    sections,
    types,
    importedFunctions: imports.functions,
    importedGlobals: imports.globals,
    functionTypes,
    definedGlobals: globals === undefined ? 0 : new Reader(wasm, globals.contents).u32(),
    exports,
    tabled: tabledFunctions(wasm, sections),
    bodies,
  };
}

/** The section with an id. Not for custom sections, which share one id. */
export function sectionOf(module: Module, id: number): Section | undefined {
  return module.sections.find((section) => section.id === id);
}

/** Reads the entries of a section. Their count comes first. */
function forEach(wasm: Uint8Array, sections: readonly Section[], id: number, read: (reader: Reader) => void): void {
  const section = sections.find((section) => section.id === id);
  if (section === undefined) return;
  const reader = new Reader(wasm, section.contents);
  for (let left = reader.u32(); left > 0; left--) read(reader);
}

function skipTypes(reader: Reader): number {
  const count = reader.u32();
  for (let i = 0; i < count; i++) reader.skipNumber();
  return count;
}

function skipImportType(reader: Reader, kind: number): void {
  if (kind === 0) reader.u32();
  else if (kind === 3) reader.at += 2;
  else if (kind === 4) {
    reader.at++;
    reader.u32();
  } else {
    if (kind === 1) reader.skipNumber();
    const limits = reader.byte();
    reader.skipNumber();
    if ((limits & 1) !== 0) reader.skipNumber();
  }
}

function bodyAt(reader: Reader): Body {
  const size = reader.u32();
  const start = reader.at;
  const end = start + size;
  const localGroups = reader.u32();
  let locals = 0;
  for (let i = 0; i < localGroups; i++) {
    locals += reader.u32();
    reader.skipNumber();
  }
  const code = reader.at;
  reader.at = end;
  return { start, code, end, localGroups, locals, instructions: instructionsOf(reader.bytes, code, end) };
}

/** The functions that element segments list, by index or by expression (5.5.12). */
function tabledFunctions(wasm: Uint8Array, sections: readonly Section[]): Set<number> {
  const functions = new Set<number>();
  forEach(wasm, sections, sectionId.element, (reader) => {
    const flags = reader.u32();
    const passive = (flags & 1) !== 0;
    if (!passive) {
      if ((flags & 2) !== 0) reader.u32();
      skipExpression(reader);
    }
    if ((flags & 3) !== 0) reader.byte();
    for (let left = reader.u32(); left > 0; left--) {
      if ((flags & 4) === 0) functions.add(reader.u32());
      else for (const index of skipExpression(reader)) functions.add(index);
    }
  });
  return functions;
}

/** Skips a constant expression. Returns the functions that it refers to. */
function skipExpression(reader: Reader): number[] {
  const functions: number[] = [];
  while (true) {
    const opcode = reader.byte();
    if (opcode === 0x0b) return functions;
    if (opcode === 0xd2) functions.push(reader.u32());
    else reader.skipNumber();
  }
}
