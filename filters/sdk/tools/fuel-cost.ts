import { type Instruction, opcode } from "./wasm-code.ts";
import type { Body, Module } from "./wasm-module.ts";

/** A function of no more instructions, without loops and calls, is charged to its callers. */
const smallLeaf = 64;

/** What running a function costs, in instructions. Those of both ways of a branch count. */
export interface Cost {
  /** Of each loop, by the position of its instruction: one turn of it, without the loops within. */
  readonly loops: ReadonlyMap<number, number>;
  /** Of the rest, charged at its entry; 0 when its callers are charged instead. */
  readonly entry: number;
  /** It may call itself by some way, or calls what may: its entry is also where it may be stopped. */
  readonly recursive: boolean;
}

/** The costs of the functions that a module defines. What endless computation there is comes by a loop or a recursion. */
export function costsOf(module: Module): Cost[] {
  const { bodies, importedFunctions } = module;
  const callees = bodies.map((body) => calleesOf(body, module));
  const ending = new Set(calleesFirst(callees));
  const leaves = bodies.map(({ instructions }) => {
    const small = instructions.length <= smallLeaf && !instructions.some(({ opcode }) => callsOrLoops.has(opcode));
    return small ? instructions.length : 0;
  });
  const charge = ({ opcode: code, index }: Instruction): number =>
    code === opcode.call ? 1 + (leaves[index - importedFunctions] ?? 0) : 1;
  return bodies.map((body, index) => {
    const { loops, straight } = bodyCost(body, charge);
    return { loops, entry: leaves[index] === 0 ? straight : 0, recursive: !ending.has(index) };
  });
}

const callsOrLoops: ReadonlySet<number> = new Set([
  opcode.loop,
  opcode.call,
  opcode.callIndirect,
  opcode.returnCall,
  opcode.returnCallIndirect,
  opcode.memoryCopy,
  opcode.memoryFill,
]);

/** The functions of the module that a body calls. */
function calleesOf({ instructions }: Body, { importedFunctions, tabled }: Module): Set<number> {
  const callees = new Set<number>();
  for (const { opcode: code, index } of instructions) {
    const direct = code === opcode.call || code === opcode.returnCall;
    const indirect = code === opcode.callIndirect || code === opcode.returnCallIndirect;
    for (const callee of direct ? [index] : indirect ? tabled : []) {
      if (callee >= importedFunctions) callees.add(callee - importedFunctions);
    }
  }
  return callees;
}

/** The functions whose calls all end, those first that call none; left out is what recursion can be reached from. */
function calleesFirst(callees: readonly ReadonlySet<number>[]): number[] {
  const callers = callees.map((): number[] => []);
  const left = callees.map(({ size }) => size);
  callees.forEach((called, caller) => {
    for (const callee of called) callers[callee]?.push(caller);
  });
  const order = left.flatMap((count, index) => (count === 0 ? [index] : []));
  for (let at = 0; at < order.length; at++) {
    for (const caller of callers[order[at] ?? 0] ?? []) {
      const now = (left[caller] ?? 0) - 1;
      left[caller] = now;
      if (now === 0) order.push(caller);
    }
  }
  return order;
}

function bodyCost({ instructions }: Body, charge: (instruction: Instruction) => number) {
  const loops = new Map<number, number>();
  let straight = 0;
  /** The blocks around: a loop by its position, or what the block itself is in. */
  const around: (number | undefined)[] = [];
  for (const instruction of instructions) {
    const { opcode: code, start } = instruction;
    const loop = around.at(-1);
    if (loop === undefined) straight += charge(instruction);
    else loops.set(loop, (loops.get(loop) ?? 0) + charge(instruction));
    if (code === opcode.loop) {
      around.push(start);
      loops.set(start, 0);
    } else if (code === opcode.block || code === opcode.if) around.push(loop);
    else if (code === opcode.end) around.pop();
  }
  return { loops, straight };
}
