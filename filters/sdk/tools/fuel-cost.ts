import { type Instruction, opcode } from "./wasm-code.ts";
import type { Body, Module } from "./wasm-module.ts";

/** A call of the host takes as long as some thousand instructions. */
const hostCall = 2000;
/** Beyond it a cost says no more. */
const mostCost = 1 << 20;

/** What running a function costs, in instructions, at least once and at most once a charge. */
export interface Cost {
  /** Of each loop, by the position of its instruction: one turn of it, without the loops within. */
  readonly loops: ReadonlyMap<number, number>;
  /** Of the rest. Its callers are charged for it, unless it is `recursive`. */
  readonly straight: number;
  /** It may call itself by some way, or calls what may: charged at its entry. */
  readonly recursive: boolean;
}

/**
 * The costs of the functions that a module defines. Every loop and every recursion is charged each time round, and so
 * every endless computation; what runs once is charged to what calls it, at no cost of its own.
 */
export function costsOf(module: Module): Cost[] {
  const { bodies, importedFunctions } = module;
  const callees = bodies.map((body) => calleesOf(body, module));
  const order = calleesFirst(callees);
  const known = new Map<number, Cost>();
  const charge = ({ opcode: code, index }: Instruction): number => {
    if (code !== opcode.call && code !== opcode.returnCall) return 1;
    if (index < importedFunctions) return hostCall;
    const callee = known.get(index - importedFunctions);
    return 1 + (callee === undefined || callee.recursive ? 0 : callee.straight);
  };
  for (const index of order) {
    const body = bodies[index];
    if (body !== undefined) known.set(index, { ...bodyCost(body, charge), recursive: false });
  }
  return bodies.map((body, index) => known.get(index) ?? { ...bodyCost(body, charge), recursive: true });
}

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
    if (loop === undefined) straight = Math.min(mostCost, straight + charge(instruction));
    else loops.set(loop, Math.min(mostCost, (loops.get(loop) ?? 0) + charge(instruction)));
    if (code === opcode.loop) {
      around.push(start);
      loops.set(start, 0);
    } else if (code === opcode.block || code === opcode.if) around.push(loop);
    else if (code === opcode.end) around.pop();
  }
  return { loops, straight };
}
