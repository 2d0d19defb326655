import { type Instruction, opcode } from "./wasm-code.ts";
import type { Body, Module } from "./wasm-module.ts";

/** A function with at most this many instructions, and without loops and calls, is charged to its callers. */
const smallLeaf = 64;

/** The cost of a function, in instructions. Both sides of a branch count. */
export interface Cost {
  /** The cost of one turn of each loop, without its inner loops, by the position of the loop instruction. */
  readonly loops: ReadonlyMap<number, number>;
  /**
   * The cost of the rest, charged at the entry. 0 when the callers are charged instead, or no loop runs the function.
   */
  readonly entry: number;
  /** True when the function may call itself, directly or indirectly. Then the entry also checks the fuel. */
  readonly recursive: boolean;
  /**
   * Instructions that a loop or a recursion, here or in a caller, may repeat. Expensive ones among them are charged
   * extra.
   */
  readonly repeated: ReadonlySet<Instruction>;
}

/**
 * The costs of the functions that a module defines. Only a loop or a recursion can run for ever. Code that neither of
 * them repeats costs nothing.
 */
export function costsOf(module: Module): Cost[] {
  const { bodies, importedFunctions } = module;
  const callees = bodies.map(({ instructions }) => calleesOf(instructions, module));
  const recursive = recursiveFunctions(callees);
  const loops = bodies.map(instructionsInLoops);
  const repeated = reachable(
    [...recursive, ...loops.flatMap((instructions) => [...calleesOf(instructions, module)])],
    callees,
  );
  const leaves = bodies.map(({ instructions }) => {
    const small = instructions.length <= smallLeaf && !instructions.some(({ opcode }) => callsOrLoops.has(opcode));
    return small ? instructions.length : 0;
  });
  const charge = ({ opcode: code, index }: Instruction): number =>
    code === opcode.call ? 1 + (leaves[index - importedFunctions] ?? 0) : 1;
  return bodies.map((body, index) => {
    const isRepeated = repeated.has(index);
    const { loops: turns, straight } = bodyCost(body, charge);
    return {
      loops: turns,
      entry: isRepeated && leaves[index] === 0 ? straight : 0,
      recursive: recursive.has(index),
      repeated: new Set(isRepeated ? body.instructions : loops[index]),
    };
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

/** The functions of the module that instructions call. */
function calleesOf(instructions: Iterable<Instruction>, { importedFunctions, tabled }: Module): Set<number> {
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

/** The functions that can be reached from themselves. */
function recursiveFunctions(callees: readonly ReadonlySet<number>[]): Set<number> {
  const recursive = new Set<number>();
  callees.forEach((called, index) => {
    if (reachable(called, callees).has(index)) recursive.add(index);
  });
  return recursive;
}

/** The given functions, and all functions that they call, directly or indirectly. */
function reachable(from: Iterable<number>, callees: readonly ReadonlySet<number>[]): Set<number> {
  const found = new Set(from);
  // The loop also visits the entries that it adds to the set.
  for (const index of found) for (const callee of callees[index] ?? []) found.add(callee);
  return found;
}

function instructionsInLoops({ instructions }: Body): Instruction[] {
  let loopsAround = 0;
  const blocks: boolean[] = [];
  return instructions.filter(({ opcode: code }) => {
    const within = loopsAround > 0;
    if (code === opcode.loop || code === opcode.block || code === opcode.if) {
      blocks.push(code === opcode.loop);
      loopsAround += Number(code === opcode.loop);
    } else if (code === opcode.end) loopsAround -= Number(blocks.pop() ?? false);
    return within;
  });
}

function bodyCost({ instructions }: Body, charge: (instruction: Instruction) => number) {
  const loops = new Map<number, number>();
  let straight = 0;
  /** For each open block, the position of the innermost loop around the code in it; undefined when there is none. */
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
