import { type Cost, costsOf } from "./fuel-cost.ts";
import { type Moved, movedMap } from "./source-map.ts";
import { join, name, Reader, s32, section, sectionId, u32 } from "./wasm-binary.ts";
import { opcode } from "./wasm-code.ts";
import { type Body, type Module, readModule, sectionOf } from "./wasm-module.ts";
import { functionNames, isCalled, nameSection } from "./wasm-names.ts";

export interface FuelOptions {
  /**
   * The instructions that a callback may run. A host call counts as 10,000. Default: 100 million, which take about 20
   * ms.
   */
  readonly budget?: number;
  /** The budget of the start and of the configuration, which delay no request. Default: 10 times `budget`. */
  readonly startBudget?: number;
  /** The module's source map. It is adapted to the new module. */
  readonly map?: string;
}

export interface Fuelled {
  readonly wasm: Uint8Array;
  /** The source map of the new module, if one was given. */
  readonly map?: string;
}

/** The name of the function that traps when the fuel is used up. It is the innermost frame of such a trap. */
export const outOfFuel = "out of fuel";

const usualBudget = 100_000_000;
/** A host call may take as long as thousands of instructions. */
const hostCall = 10_000;
const mostBudget = 2_000_000_000;

/** The callbacks that run before a VM serves requests. */
const startCallbacks =
  /^(?:_initialize|_start|main|proxy_on_vm_start|proxy_on_configure|proxy_validate_configuration)$/;
/** Each of these callbacks has its own budget. The allocator runs inside another callback, and uses its budget. */
const callbacks = /^(?:proxy_on_(?!memory_allocate$)|envoy_on_)/;

/**
 * Changes a module so that a callback traps when it runs more instructions than its budget. Every turn of a loop and
 * every recursive call decrements a counter; this needs no host call. Envoy itself lets an endless loop block a worker
 * for ever.
 */
export function withFuel(wasm: Uint8Array, options: FuelOptions = {}): Fuelled {
  const budget = Math.min(options.budget ?? usualBudget, mostBudget);
  const startBudget = Math.min(options.startBudget ?? 10 * budget, mostBudget);
  const module = readModule(wasm);
  const names = functionNames(module);
  const fuel = module.importedGlobals + module.definedGlobals;
  const spent = module.importedFunctions + module.bodies.length;
  names.set(spent, outOfFuel);

  const added = [{ type: module.types.length, body: [0, /* unreachable */ 0x00, opcode.end] }];
  const exports = module.exports.map((each) => {
    const limit = startCallbacks.test(each.name) ? startBudget : callbacks.test(each.name) ? budget : 0;
    if (each.kind !== 0 || limit === 0) return each;
    const type = module.functionTypes[each.index - module.importedFunctions];
    if (type === undefined) return each;
    added.push({ type, body: refuelled(each.index, module.types[type]?.parameters ?? 0, fuel, limit) });
    const index = spent + added.length - 1;
    names.set(index, names.get(each.index) ?? each.name);
    return { ...each, index };
  });

  const costs = costsOf(module);
  const bodies = module.bodies.map((body, index) => charged(module, body, index, costs[index], fuel, spent));
  const rewritten = new Map<number, Pieces>([
    [sectionId.type, extended(module, sectionId.type, 1, [0x60, 0, 0])],
    [
      sectionId.function,
      extended(
        module,
        sectionId.function,
        added.length,
        added.flatMap(({ type }) => u32(type)),
      ),
    ],
    [sectionId.global, extended(module, sectionId.global, 1, [0x7f, 1, 0x41, ...s32(startBudget), opcode.end])],
    [sectionId.export, [exportSection(exports)]],
    [sectionId.code, codeSection([...bodies, ...added.map(({ body }) => [Uint8Array.from(body)])])],
  ]);
  const pieces: Pieces = [wasm.subarray(0, 8)];
  for (const id of sectionOrder) {
    const sections = module.sections.filter((each) => each.id === id && !isCalled(module, each, "name"));
    const unchanged = sections.map(({ start, end }) => wasm.subarray(start, end));
    pieces.push(...(rewritten.get(id) ?? unchanged));
  }
  pieces.push(nameSection(names));
  return {
    wasm: join(pieces),
    ...(options.map === undefined ? {} : { map: movedMap(options.map, movedIn(wasm, pieces)) }),
  };
}

/** Bytes to be joined. Pieces of the original module share its memory. */
type Pieces = Uint8Array[];

/**
 * The order of sections (WebAssembly core specification, 5.5.16). Custom sections may be anywhere; here they are last.
 */
const sectionOrder = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11, sectionId.custom];

/** The body of a function that sets the fuel to the budget of a callback, and calls it. */
function refuelled(callee: number, parameters: number, fuel: number, budget: number): number[] {
  const pushed = Array.from({ length: parameters }, (_, at) => [0x20, ...u32(at)]).flat();
  return [0, 0x41, ...s32(budget), 0x24, ...u32(fuel), ...pushed, opcode.call, ...u32(callee), opcode.end];
}

/** A section with more entries at its end. */
function extended(module: Module, id: number, count: number, entries: readonly number[]): Pieces {
  const found = sectionOf(module, id);
  if (found === undefined) return [section(id, [...u32(count), ...entries])];
  const reader = new Reader(module.wasm, found.contents);
  const former = reader.u32();
  const kept = module.wasm.subarray(reader.at, found.end);
  return [section(id, [Uint8Array.from(u32(former + count)), kept, Uint8Array.from(entries)])];
}

function exportSection(exports: Module["exports"]): Uint8Array {
  const entries = exports.flatMap((each) => [...name(each.name), each.kind, ...u32(each.index)]);
  return section(sectionId.export, [...u32(exports.length), ...entries]);
}

function codeSection(bodies: readonly Pieces[]): Pieces {
  const sized = bodies.flatMap((body) => [Uint8Array.from(u32(sizeOf(body))), ...body]);
  const contents = [Uint8Array.from(u32(bodies.length)), ...sized];
  return [Uint8Array.from([sectionId.code, ...u32(sizeOf(contents))]), ...contents];
}

function sizeOf(pieces: Pieces): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** A function body that charges fuel at its entry, at each turn of its loops, and for expensive instructions. */
function charged(
  module: Module,
  body: Body,
  index: number,
  cost: Cost | undefined,
  fuel: number,
  spent: number,
): Pieces {
  const { wasm } = module;
  const type = module.types[module.functionTypes[index] ?? 0];
  const local = u32((type?.parameters ?? 0) + body.locals);
  const count = (instructions: number): number[] => [0x23, ...u32(fuel), 0x41, ...s32(instructions), 0x6b];
  const charge = (instructions: number): number[] => [...count(instructions), 0x24, ...u32(fuel)];
  const check = (instructions: number): number[] => [
    ...[...count(instructions), 0x22, ...local, 0x24, ...u32(fuel)],
    ...[0x20, ...local, 0x41, 0, 0x48, opcode.if, 0x40, opcode.call, ...u32(spent), opcode.end],
  ];
  const pieces: Pieces = [];
  let copied = body.code;
  const insert = (at: number, bytes: readonly number[]): void => {
    pieces.push(wasm.subarray(copied, at), Uint8Array.from(bytes));
    copied = at;
  };
  if (cost?.recursive) insert(body.code, check(cost.entry));
  else if (cost !== undefined && cost.entry > 0) insert(body.code, charge(cost.entry));
  for (const instruction of body.instructions) {
    const { opcode: code, start, end, index: callee } = instruction;
    const turn = cost?.loops.get(start);
    if (turn !== undefined) insert(end, check(turn));
    else if (!cost?.repeated.has(instruction)) continue;
    else if (code === opcode.memoryCopy || code === opcode.memoryFill) insert(start, chargeBytes(local, fuel));
    else if (code === opcode.call && callee < module.importedFunctions) insert(start, charge(hostCall));
  }
  if (pieces.length === 0) return [wasm.subarray(body.start, body.end)];
  const groupsStart = body.start + u32(body.localGroups).length;
  return [
    Uint8Array.from(u32(body.localGroups + 1)),
    wasm.subarray(groupsStart, body.code),
    Uint8Array.from([1, 0x7f]),
    ...pieces,
    wasm.subarray(copied, body.end),
  ];
}

/** Charges one instruction for each 16 bytes. The number of bytes is on top of the stack. */
function chargeBytes(local: readonly number[], fuel: number): number[] {
  return [0x22, ...local, 0x23, ...u32(fuel), 0x20, ...local, 0x41, 4, 0x76, 0x6b, 0x24, ...u32(fuel)];
}

/** The new positions of the pieces of the original module. */
function movedIn(wasm: Uint8Array, pieces: Pieces): Moved[] {
  const moved: Moved[] = [];
  let to = 0;
  for (const piece of pieces) {
    if (piece.buffer === wasm.buffer) moved.push({ from: piece.byteOffset - wasm.byteOffset, to });
    to += piece.length;
  }
  return moved.sort((a, b) => a.from - b.from);
}
